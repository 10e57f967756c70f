/** Python's `+` for what the suite adds: numbers, strings, lists. Throws TypeError for anything else, as Python does. */
export function plus(x: unknown, y: unknown): unknown {
  if (typeof x === "number" && typeof y === "number") return x + y;
  if (typeof x === "string" && typeof y === "string") return x + y;
  if (Array.isArray(x) && Array.isArray(y)) return [...(x as unknown[]), ...(y as unknown[])];
  throw new TypeError(`unsupported operand type(s) for +: '${typeof x}' and '${typeof y}'`);
}

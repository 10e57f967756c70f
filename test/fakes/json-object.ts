/** JSON objects as the fakes handle them: looked into by name, never changed in place. */
export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

export const child = (value: unknown, key: string): unknown => (isObject(value) ? value[key] : undefined);

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** What applying `next` after `last` asks for, as a merge patch: what was applied before and is not any more is taken away. Lists count as one value. */
export function applyPatch(last: unknown, next: unknown): unknown {
  if (!isObject(last) || !isObject(next)) return next;
  const gone = Object.keys(last).filter((key) => !(key in next));
  return {
    ...Object.fromEntries(gone.map((key) => [key, null])),
    ...Object.fromEntries(Object.entries(next).map(([key, value]) => [key, applyPatch(last[key], value)])),
  };
}

import { scalarRepr } from "./repr.ts";

/** Celery's `argsrepr_maxsize` and `resultrepr_maxsize`. */
const REPR_MAX = 1_024;
const MAX_LEVELS = 3;

type Token =
  | { readonly kind: "literal"; readonly text: string; readonly keep: boolean; readonly level: number }
  | { readonly kind: "key"; readonly text: string }
  | { readonly kind: "value"; readonly value: unknown };

const literal = (text: string, keep: boolean, level: number): Token => ({ kind: "literal", text, keep, level });
const SEPARATOR = literal(", ", false, 0);
const COLON = literal(": ", false, 0);

/**
 * Celery's own bounded repr (celery/utils/saferepr.py), as `argsrepr`, `kwargsrepr` and events carry it: three levels deep, strings
 * without escapes, `, ...` where the bound cuts. `tuple` writes the outermost array as Python's tuple. Never throws.
 */
export function saferepr(value: unknown, options: { readonly tuple?: boolean; readonly maxLength?: number } = {}): string {
  return render(value, options.maxLength ?? REPR_MAX, options.tuple ?? false);
}

function render(root: unknown, maxLength: number, tuple: boolean): string {
  let out = "";
  let left = maxLength;
  let level = 0;
  /** What is still to come, the next one last. */
  const rest: Token[] = [{ kind: "value", value: root }];
  const seen = new Set<object>();
  let first = true;

  for (let token = rest.pop(); token !== undefined; token = rest.pop()) {
    if (token.kind === "value") {
      const expanded = expand(token.value, first && tuple, level, seen, Math.max(0, left) + 2);
      first = false;
      if (typeof expanded !== "string") {
        rest.push(...expanded.toReversed());
        continue;
      }
      if (left <= 0) return out + closing(rest);
      const text = leaf(token.value, left) ?? truncate(expanded, left);
      out += text;
      left -= text.length;
      continue;
    }
    if (token.kind === "literal") level += token.level;
    if (left <= 0) return out + closing(rest);
    const text = token.kind === "key" ? quoted(token.text, left) : token.text;
    out += text;
    left -= text.length;
  }
  return out;
}

/** The tokens of an array or object, or the text of anything else. More than `most` items are never shown, so never looked at. */
function expand(value: unknown, tuple: boolean, level: number, seen: Set<object>, most: number): readonly Token[] | string {
  const scalar = typeof value === "string" || value instanceof Uint8Array ? "" : scalarRepr(value);
  if (scalar !== undefined) return scalar;
  const container = value as object;
  const isArray = Array.isArray(container);
  const [open, close] = isArray ? (tuple ? ["(", ")"] : ["[", "]"]) : ["{", "}"];
  if (level >= MAX_LEVELS) return `${open}...${close}`;
  if (seen.has(container)) return `<Recursion on ${isArray ? "list" : "dict"}>`;
  const tokens: Token[] = [literal(open, true, 1)];
  if (isArray) {
    for (const [index, item] of container.slice(0, most).entries())
      tokens.push(...(index > 0 ? [SEPARATOR] : []), { kind: "value", value: item });
  } else {
    const entries = Object.entries(container)
      .filter(([, item]) => item !== undefined)
      .slice(0, most);
    for (const [index, [key, item]] of entries.entries()) {
      tokens.push(...(index > 0 ? [SEPARATOR] : []), { kind: "key", text: key }, COLON, { kind: "value", value: item });
    }
  }
  tokens.push(literal(isArray && tuple && container.length === 1 ? ",)" : close, true, -1));
  return tokens;
}

/** Past the bound: `, ...` and the brackets that are still open. */
function closing(rest: readonly Token[]): string {
  let out = ", ...";
  for (const token of rest.toReversed()) if (token.kind === "literal" && token.keep) out += token.text;
  return out;
}

function quoted(text: string, left: number): string {
  return `'${truncate(text, left).replaceAll("'", "\\'")}'`;
}

/** Text, and bytes as Celery shows them: text when they are UTF-8, else hex. */
function leaf(value: unknown, left: number): string | undefined {
  if (typeof value === "string") return quoted(value, left);
  if (!(value instanceof Uint8Array)) return undefined;
  const shown = value.subarray(0, left);
  const more = value.length > left ? "..." : "";
  try {
    return `b'${new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(shown)}${more}'`;
  } catch {
    return `b'${Buffer.from(shown).toString("hex")}${more}'`; // no text
  }
}

/** celery/utils/text.py `truncate`: cut at the last space before the bound. */
function truncate(text: string, maxLength: number): string {
  if (text.length < maxLength) return text;
  const cut = text.slice(0, maxLength);
  const space = cut.lastIndexOf(" ");
  return `${space < 0 ? cut : cut.slice(0, space)}...`;
}

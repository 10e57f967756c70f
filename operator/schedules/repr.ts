/** Celery's `argsrepr_maxsize`. */
const MAX = 1_024;

/**
 * Arguments as Python would show them, for Flower and `celery inspect`: JSON values only, cut at 1,024 characters. For people; never read back.
 * @param tuple the outermost list is positional arguments
 */
export function pythonRepr(value: unknown, tuple = false): string {
  const text = repr(value, tuple);
  return text.length > MAX ? `${text.slice(0, MAX - 5)}, ...` : text;
}

function repr(value: unknown, tuple = false): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`;
  if (Array.isArray(value)) {
    const items = value.map((item) => repr(item)).join(", ");
    return tuple ? `(${items}${value.length === 1 ? "," : ""})` : `[${items}]`;
  }
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, item]) => `${repr(key)}: ${repr(item)}`)
      .join(", ")}}`;
  return String(value);
}

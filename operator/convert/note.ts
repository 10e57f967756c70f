/** What became of one field of the source. */
export interface Note {
  /** Path in the source, as `spec.triggers[0].metadata.value`. */
  readonly field: string;
  /** `mapped`: it is in the result. `none`: it has no equivalent. `check`: it is in the result, and the user must look at it. */
  readonly outcome: "mapped" | "none" | "check";
  /** Mapped to what; or why not, and what to do instead. */
  readonly words: string;
}

/** What one field of a source means to us. The value is not yet read: it may be anything that YAML can hold. */
export type Meaning = (value: unknown) => Omit<Note, "field">;

export const mapped = (words: string): Omit<Note, "field"> => ({ outcome: "mapped", words });
export const none = (words: string): Omit<Note, "field"> => ({ outcome: "none", words });
export const check = (words: string): Omit<Note, "field"> => ({ outcome: "check", words });

/** One note for each field that is there, by a table with a row for each that is known. Nothing is left out: what the table lacks is said, too. */
export function explain(at: string, fields: Readonly<Record<string, unknown>>, table: Readonly<Record<string, Meaning>>): readonly Note[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const meaning = Object.hasOwn(table, name) ? table[name] : undefined;
    const note = meaning?.(value) ?? none("this field is not known here; look it up in KEDA's reference and decide");
    return note.words === "" ? [] : [{ field: `${at}.${name}`, ...note }];
  });
}

/** A map, or an empty one. */
export const mapOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** KEDA writes numbers of a trigger as text. Undefined when it is none. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === "number" ? value : typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

export const isTrue = (value: unknown): boolean => value === true || String(value).toLowerCase() === "true";

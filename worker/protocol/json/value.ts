import { formatIso, parseIso } from "./iso.ts";

/**
 * What a Celery message can carry. Beyond JSON: `Date` (datetime), `Uint8Array` (bytes), `bigint` (integers beyond 2^53)
 * and `PyValue` for the Python types that JavaScript lacks.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | PyValue
  | PyFloat
  | readonly Value[]
  | { readonly [key: string]: Value };

export type ValueMap = { readonly [key: string]: Value };

/** A Python date, time, decimal or UUID, kept as the text that Python prints for it, so that nothing is lost on the way back. */
export class PyValue {
  readonly type: "date" | "time" | "decimal" | "uuid";
  readonly text: string;

  constructor(type: PyValue["type"], text: string) {
    this.type = type;
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

/** A Python float that happens to be whole (`1.0`): written back as such. Only where a value is passed on unseen, never in a task's arguments. */
export class PyFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  valueOf(): number {
    return this.value;
  }

  toJSON(): number {
    return this.value;
  }
}

/** A `Date` that remembers Python's text of it: microseconds and the offset survive the way back, unless the date is changed. */
export class PyDateTime extends Date {
  readonly #text: string;
  readonly #read: number;

  /** Throws RangeError when `text` is no ISO 8601 date. */
  constructor(text: string) {
    const ms = parseIso(text);
    if (ms === undefined) throw new RangeError(`not an ISO 8601 date: ${JSON.stringify(text.slice(0, 40))}`);
    super(ms);
    this.#text = text;
    this.#read = ms;
  }

  /** What Python's `isoformat()` printed, or would print if the date was changed since. */
  get isoText(): string {
    return this.getTime() === this.#read ? this.#text : formatIso(this.getTime());
  }
}

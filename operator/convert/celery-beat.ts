import { beatTimes } from "./celery-beat-times.ts";

/** A Schedule as it is written down, and what became of each part of the entry that has no equal. */
export interface ConvertedBeat {
  readonly entry: string;
  /** absent: the entry has no equivalent, and the notes say why. */
  readonly schedule?: { readonly name: string; readonly spec: Readonly<Record<string, unknown>> };
  readonly notes: readonly string[];
}

export interface BeatOptions {
  readonly broker: string;
  readonly store: string;
  /** Celery's setting `timezone`. */
  readonly timeZone: string;
  /** Where tasks go whose entry names no queue: Celery's setting `task_default_queue`. */
  readonly queue: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Options of `apply_async` that have an equal, and those that need none. */
const KNOWN: ReadonlySet<string> = new Set(["queue", "exchange", "routing_key", "priority", "expires", "headers"]);

/**
 * Celery's `beat_schedule`, read from JSON, as Schedules, one per entry and in their order. Pure. Never guesses: what cannot be said is a note. Throws
 * `RangeError` when the JSON is no such thing.
 */
export function convertBeat(json: unknown, options: BeatOptions): readonly ConvertedBeat[] {
  const beat = asFields(json);
  if (beat === undefined) throw new RangeError("expected a JSON object with one entry per schedule, as beat_schedule is");
  const taken = new Set<string>();
  return Object.entries(beat).map(([entry, value]) => {
    const converted = convertEntry(asFields(value), options);
    if (!("spec" in converted)) return { entry, notes: converted.notes };
    const name = freeName(entry, taken);
    return { entry, schedule: { name, spec: converted.spec }, notes: converted.notes };
  });
}

function convertEntry(
  value: Fields | undefined,
  { broker, store, timeZone, queue: fallback }: BeatOptions,
): { spec: Fields; notes: string[] } | { notes: string[] } {
  if (value === undefined || typeof value["task"] !== "string") return { notes: ["task is missing: not converted"] };
  const times = beatTimes(value["schedule"], timeZone);
  if ("problem" in times) return { notes: [`schedule: ${times.problem}: not converted`] };
  const notes: string[] = [];
  const given = asFields(value["options"]) ?? {};
  for (const option of Object.keys(given)) if (!KNOWN.has(option)) notes.push(`options.${option} has no equivalent and is left out`);
  const { queue, exchange, routing_key: routingKey, priority, headers } = given;
  const expires = expiresOf(given["expires"], notes);
  const target =
    typeof exchange === "string" && exchange !== "" && queue === undefined
      ? { exchange, ...(typeof routingKey === "string" ? { routingKey } : {}) }
      : { queue: String(queue ?? fallback) };
  if (queue === undefined && exchange === undefined) notes.push(`no queue is named: ${fallback}; check task_routes and --queue`);
  const spec = {
    brokerRef: { name: broker },
    storeRef: { name: store },
    ...times.spec,
    task: value["task"],
    ...(Array.isArray(value["args"]) && value["args"].length > 0 ? { args: value["args"] as readonly unknown[] } : {}),
    ...(Object.keys(asFields(value["kwargs"]) ?? {}).length > 0 ? { kwargs: value["kwargs"] } : {}),
    ...target,
    ...(typeof priority === "number" ? { priority } : {}),
    ...(expires === undefined ? {} : { expires }),
    ...(asFields(headers) === undefined
      ? {}
      : { headers: Object.fromEntries(Object.entries(asFields(headers) ?? {}).map(([key, text]) => [key, String(text)])) }),
    ...(value["enabled"] === false ? { suspend: true } : {}),
  };
  return { spec, notes };
}

function expiresOf(expires: unknown, notes: string[]): string | undefined {
  if (expires === undefined || expires === null) return undefined;
  if (typeof expires === "number" && expires > 0) return `${Math.round(expires * 1_000)}ms`;
  notes.push("options.expires is no number of seconds and is left out");
  return undefined;
}

/** A name that Kubernetes takes, different from those before. */
function freeName(entry: string, taken: Set<string>): string {
  const base =
    entry
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 200) || "schedule";
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
  taken.add(name);
  return name;
}

const asFields = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;

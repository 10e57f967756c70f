import { durationMs } from "../kinds/quantities.ts";
import type { Schedule } from "../kinds/schedule/schema.ts";
import { calendarProblem } from "../runtime/calendar.ts";
import type { Rhythm, Timing } from "./due.ts";

/** What a schedule's spec says of its times, read. */
export interface ReadTiming {
  readonly timing: Timing;
  /** For people: `30 2 * * * Europe/Berlin`, `every 15m`. */
  readonly label: string;
  /** Changes when any time may have changed. */
  readonly digest: string;
}

const SHORTEST_MS = 1_000;

/** Reads the times, but for the cron itself, which costs more. Never throws: what cannot be read is a problem that names the field. */
export function readTiming({ metadata, spec }: Schedule): ReadTiming | { readonly problem: string } {
  try {
    const createdAt = Date.parse(metadata.creationTimestamp ?? "");
    const [from, to] = [momentOf("startTime", spec.startTime), momentOf("endTime", spec.endTime)];
    const { rhythm, label } = readRhythm(spec, from ?? createdAt);
    const jitterMs = spec.jitter === undefined ? 0 : durationMs(spec.jitter);
    const timing: Timing = {
      uid: metadata.uid ?? "",
      rhythm,
      jitterMs,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
    return { timing, label, digest: JSON.stringify([rhythm, from, to, jitterMs]) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function readRhythm(spec: Schedule["spec"], anchor: number): { readonly rhythm: Rhythm; readonly label: string } {
  const { cron, every, at, timeZone } = spec;
  if (cron !== undefined) {
    return { rhythm: { type: "cron", cron, timeZone }, label: timeZone === "UTC" ? cron : `${cron} ${timeZone}` };
  }
  if (every !== undefined) {
    const periodMs = durationMs(every);
    if (periodMs < SHORTEST_MS) throw new RangeError(`every is ${every}; expected at least 1s`);
    return { rhythm: { type: "every", periodMs, anchor }, label: `every ${every}` };
  }
  const times = (at ?? []).map((time) => momentOf("at", time) ?? 0).toSorted((one, other) => one - other);
  const [first] = at ?? [];
  return { rhythm: { type: "at", times: [...new Set(times)] }, label: times.length === 1 ? `at ${first}` : `at ${times.length} times` };
}

/** What is wrong with the times of a spec that could not be planned, in words that name the field. */
export const timesProblem = ({ cron = "", timeZone }: Schedule["spec"], thrown: unknown): string =>
  calendarProblem(cron, timeZone) ?? (thrown instanceof Error ? thrown.message : String(thrown));

function momentOf(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new RangeError(`${field} is ${JSON.stringify(text)}; expected a time such as 2026-03-01T08:00:00+01:00`);
  return ms;
}

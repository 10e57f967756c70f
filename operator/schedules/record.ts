import type { Schedule } from "../kinds/schedule/schema.ts";
import type { Hash } from "./ports.ts";

/** What is known of a schedule's past. Times in ms since the epoch. */
export interface Memory {
  /** As it stands in the store; "" when nothing does: what a claim is checked against. */
  readonly stored: string;
  /** Every due time until then was handled. */
  readonly cursor: number;
  /** The times that the cursor speaks of. */
  readonly digest?: string;
  readonly suspended: boolean;
  readonly lastDue?: number;
  readonly lastTaskId?: string;
  readonly lastAt?: number;
  readonly runNow?: string;
  readonly published: number;
  readonly missed: number;
}

/** The annotation whose new value runs a schedule at once. */
export const RUN_NOW_ANNOTATION = "longshore.dev/run-now";

/** Memory out of the store's record; where that is lost, out of the status; where that is empty, the schedule's creation. Pure. */
export function recall({ metadata, status }: Schedule, hash: Hash): Memory {
  const number = (field: string): number | undefined => (hash[field] === undefined ? undefined : Number(hash[field]));
  const past = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text));
  const lastDue = number("lastDue") ?? past(status?.lastScheduleTime);
  const lastAt = number("lastAt");
  const lastTaskId = hash["lastTaskId"] ?? status?.lastTaskId;
  const runNow = hash["runNow"] ?? status?.lastRunNow;
  const digest = hash["digest"];
  return {
    stored: hash["cursor"] ?? "",
    cursor: number("cursor") ?? past(status?.handledUntil) ?? Date.parse(metadata.creationTimestamp ?? ""),
    suspended: hash["suspended"] === "1",
    published: number("published") ?? status?.published ?? 0,
    missed: number("missed") ?? status?.missed ?? 0,
    ...(digest === undefined ? {} : { digest }),
    ...(lastDue === undefined ? {} : { lastDue }),
    ...(lastAt === undefined ? {} : { lastAt }),
    ...(lastTaskId === undefined ? {} : { lastTaskId }),
    ...(runNow === undefined ? {} : { runNow }),
  };
}

/** The record as the store keeps it. */
export function fieldsOf(memory: Memory): Hash {
  const { cursor, suspended, published, missed, digest, lastDue, lastTaskId, lastAt, runNow } = memory;
  const optional = { digest, lastDue, lastTaskId, lastAt, runNow };
  return {
    cursor: String(cursor),
    suspended: suspended ? "1" : "0",
    published: String(published),
    missed: String(missed),
    ...Object.fromEntries(Object.entries(optional).flatMap(([field, value]) => (value === undefined ? [] : [[field, String(value)]]))),
  };
}

/**
 * Where to go on from. Other times than the cursor speaks of, and times of suspension, are nobody's fault: what they would have made due until now
 * is not made up for.
 */
export function resumeFrom(memory: Memory, digest: string, suspend: boolean, now: number): number {
  const changed = memory.digest !== undefined && memory.digest !== digest;
  return changed || (memory.suspended && !suspend) ? Math.max(memory.cursor, now) : memory.cursor;
}

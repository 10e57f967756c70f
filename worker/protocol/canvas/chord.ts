import { celeryError } from "../celery-errors.ts";
import { asException, exceptionRepr, type PyException } from "../exception.ts";
import { isList } from "../json/is-value.ts";
import { decodeJson, encodeJson } from "../json/json.ts";
import type { Value } from "../json/value.ts";
import { groupKey } from "../result.ts";
import { isException } from "../states.ts";

/** The keys of one chord in Redis. celery/backends/redis.py of 5.7, a superset of 5.6's. */
export interface ChordKeys {
  /** ZSET of the parts, by group index. */
  readonly parts: string;
  /** How many parts `add_to_chord` added. */
  readonly added: string;
  /** How many parts there are, written by whoever sends the header. */
  readonly size: string;
  /** SET of `task id:score`: a redelivered part counts once (5.7). */
  readonly seen: string;
  /** Who runs the body: a token while it is being sent, then `done` (5.7). */
  readonly claim: string;
  /** The saved group, when its results are nested. */
  readonly group: string;
}

export function chordKeys(groupId: string): ChordKeys {
  const group = groupKey(groupId);
  return { parts: `${group}.j`, added: `${group}.t`, size: `${group}.s`, seen: `${group}.d`, claim: `${group}.c`, group };
}

/** One finished task of a chord's header. */
export interface ChordPart {
  readonly taskId: string;
  readonly state: string;
  readonly result: Value;
  readonly error?: PyException;
}

/** The member of the ZSET, byte for byte. Throws JsonError when the result cannot be written. */
export function encodePart(taskId: string, state: string, result: unknown): string {
  return encodeJson([1, taskId, state, result ?? null]);
}

/** The score of a part: its place in the header, or `+inf` when the sender gave none. */
export const partScore = (groupIndex: number | undefined): string => (groupIndex === undefined ? "+inf" : String(groupIndex));

/** Reads a member of the ZSET. Whole floats stay floats: the body gets them. Throws JsonError or TypeError for one that is none. */
export function decodePart(member: string | Uint8Array): ChordPart {
  const decoded = decodeJson(member, { exactFloats: true });
  const [, taskId, state, result = null] = isList(decoded) ? decoded : [];
  if (typeof taskId !== "string" || typeof state !== "string") throw new TypeError("not a part of a chord");
  const error = isException(state) ? asException(result) : undefined;
  return error === undefined ? { taskId, state, result } : { taskId, state, result: null, error };
}

/** What the parts of a header come to: the list for the body, in order, or the ChordError and the failed part's own error behind it. */
export type Joined = { readonly results: readonly Value[] } | { readonly error: PyException; readonly cause?: PyException };

/** Joins parts that are all there; the first failed one decides. */
export function joinParts(parts: readonly ChordPart[]): Joined {
  const failed = parts.find(({ state }) => state === "FAILURE" || state === "REVOKED");
  if (failed === undefined) return { results: parts.map(({ result }) => result) };
  return dependencyFailed(failed.taskId, failed.error);
}

/** A chord whose part has failed. */
export function dependencyFailed(taskId: string, cause: PyException | undefined): Exclude<Joined, { results: unknown }> {
  const error = celeryError("ChordError", `Dependency ${taskId} raised ${cause === undefined ? "None" : exceptionRepr(cause)}`);
  return cause === undefined ? { error } : { error, cause };
}

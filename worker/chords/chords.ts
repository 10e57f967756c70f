import type { Clock, StorePort } from "../ports.ts";
import { chordKeys, decodePart, type Joined, joinParts } from "../protocol/canvas/chord.ts";
import type { PyException } from "../protocol/exception.ts";
import type { Value } from "../protocol/json/value.ts";
import { readScript } from "../read-script.ts";
import { readResults } from "./read-results.ts";
import { fillGroup, savedGroup, taskIds } from "./saved-group.ts";

const SCRIPTS = {
  part: readScript("chord-part", import.meta.url),
  size: readScript("chord-size", import.meta.url),
  add: readScript("chord-add", import.meta.url),
  done: readScript("chord-done", import.meta.url),
} as const;

/** Celery's `result_chord_join_timeout`, ms: how long the results of a nested header may lag behind its parts. */
const JOIN_TIMEOUT_MS = 3_000;
const POLL_MS = 50;
/** celery/backends/redis.py 5.7: `max(5, 2 * join timeout)` and `max(2 * claim, 300)`, s. */
const CLAIM_SECONDS = 6;
const DONE_SECONDS = 300;

export interface Chords {
  size(groupId: string, size: number): Promise<void>;
  /** Keeps the shape of a header with nested results. `result` is JSON. */
  saveGroup(groupId: string, result: string): Promise<void>;
  add(groupId: string, taskId: string): Promise<void>;
  /** Reports a part. What the chord came to when this part was the last one and the body is the caller's to send, else undefined. */
  part(part: { groupId: string; taskId: string; score: string; member: string }): Promise<Joined | undefined>;
  /** After the body was sent, or its failure stored: then the parts stay until they expire, for whoever wants to see them. */
  done(groupId: string, taskId: string, score: string, failed: boolean): Promise<void>;
}

const tokenOf = (taskId: string, score: string): string => `longshore:${taskId}:${score}`;

/** Chords in Redis by Celery 5.7's keys, kept for `ttlS` seconds. Every call may be repeated. Never sends anything. */
export function openChords(store: StorePort, clock: Clock, ttlS: number): Chords {
  const joinSaved = async (group: Value): Promise<Joined> => {
    for (let waited = 0; ; waited += POLL_MS) {
      const joined = fillGroup(group, await readResults(store, taskIds(group)));
      if (joined !== undefined) return joined;
      if (waited >= JOIN_TIMEOUT_MS) return { error: joinError("TimeoutError('The operation timed out.')") };
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, POLL_MS));
    }
  };

  const join = async (groupId: string): Promise<Joined> => {
    const keys = chordKeys(groupId);
    try {
      const saved = await store.command("GET", keys.group);
      const group = typeof saved === "string" ? savedGroup(saved) : undefined;
      if (group !== undefined) return await joinSaved(group);
      const members = await store.command("ZRANGE", keys.parts, 0, -1);
      return joinParts((members as readonly string[]).map((member) => decodePart(member)));
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("redis:")) throw error;
      return { error: joinError(error instanceof Error ? error.message : String(error)) };
    }
  };

  return {
    async size(groupId, size) {
      const keys = chordKeys(groupId);
      await store.run(SCRIPTS.size, [keys.size, keys.claim], [size, ttlS]);
    },
    async saveGroup(groupId, result) {
      await store.command("SET", chordKeys(groupId).group, result, "EX", ttlS);
    },
    async add(groupId, taskId) {
      const keys = chordKeys(groupId);
      await store.run(SCRIPTS.add, [keys.added, keys.seen], [taskId, ttlS]);
    },
    async part({ groupId, taskId, score, member }) {
      const { parts, added, size, seen, group, claim } = chordKeys(groupId);
      const args = [taskId, member, score, ttlS, CLAIM_SECONDS, tokenOf(taskId, score)];
      const claimed = await store.run(SCRIPTS.part, [parts, added, size, seen, group, claim], args);
      return claimed === 1 ? await join(groupId) : undefined;
    },
    async done(groupId, taskId, score, failed) {
      const { parts, added, size, seen, claim } = chordKeys(groupId);
      const forgotten = failed ? [size] : [parts, added, size, seen];
      await store.run(SCRIPTS.done, [claim, ...forgotten], [tokenOf(taskId, score), DONE_SECONDS]);
    },
  };
}

const joinError = (why: string): PyException => ({
  exc_type: "ChordError",
  exc_message: [`Join error: ${why}`],
  exc_module: "celery.exceptions",
});

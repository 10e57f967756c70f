import { readFileSync } from "node:fs";
import type { ChainableCommander } from "ioredis";
import { scheduleKey, taskRecordKey, taskResultKey } from "../../../worker/contract/names.ts";
import type { ClaimAnswer, Hash, RecordPort, RunState } from "../../schedules/ports.ts";
import { openRedis, type StoreOptions } from "./store.ts";

const script = (name: string): string => readFileSync(new URL(`./${name}.lua`, import.meta.url), "utf8");

/** A record of a schedule that is due once a year outlives the year. */
const RECORD_TTL_MS = 400 * 86_400_000;
/** Celery writes the state first. */
const STATE = /^\{\s*"status":\s*"([A-Z_a-z]+)"/;
const OVER: ReadonlySet<string> = new Set(["SUCCESS", "FAILURE", "REVOKED", "REJECTED", "IGNORED"]);
const LEASE_OVER: ReadonlySet<string> = new Set(["DONE", "DEAD", "UNKNOWN"]);

interface Scripts {
  longshoreClaim(keys: number, ...words: readonly (string | number)[]): Promise<unknown>;
  longshoreSettle(keys: number, ...words: readonly (string | number)[]): Promise<unknown>;
}

/** The records of schedules in one Redis. Every call is one round trip and, but for `read` and `runs`, one script, however many schedules it speaks of. */
export function openRecords(options: StoreOptions): RecordPort {
  const { redis, call } = openRedis({ ...options, name: "longshore-operator schedules" });
  redis.defineCommand("longshoreClaim", { lua: script("claim") });
  redis.defineCommand("longshoreSettle", { lua: script("settle") });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the two commands defined above
  const scripts = redis as unknown as Scripts;
  const many = (queue: (pipeline: ChainableCommander) => void): Promise<readonly unknown[]> =>
    call(async () => {
      const pipeline = redis.pipeline();
      queue(pipeline);
      return ((await pipeline.exec()) ?? []).map(([error, answer]) => {
        if (error !== null) throw error;
        return answer;
      });
    });

  return {
    async read(uids) {
      const answers = await many((pipeline) => {
        for (const uid of uids) pipeline.hgetall(scheduleKey(uid));
      });
      return answers.map((answer): Hash => ({ ...(answer as Hash) }));
    },
    async claim(requests, owner, claimMs) {
      const keys = requests.map(({ uid }) => scheduleKey(uid));
      const cursors = requests.map(({ cursor }) => cursor);
      const answers = await call(() => scripts.longshoreClaim(keys.length, ...keys, owner, claimMs, RECORD_TTL_MS, ...cursors));
      return listOf(answers).map(toClaim);
    },
    async settle(entries) {
      const keys = entries.map(({ uid }) => scheduleKey(uid));
      const words = entries.flatMap(({ fence, fields }) => {
        const pairs = Object.entries(fields).flat();
        return [fence, pairs.length, ...pairs];
      });
      const answers = await call(() => scripts.longshoreSettle(keys.length, ...keys, RECORD_TTL_MS, ...words));
      return listOf(answers).map((answer) => answer === 1);
    },
    async forget(uid) {
      await many((pipeline) => pipeline.del(scheduleKey(uid)));
    },
    async runs(taskIds) {
      const answers = await many((pipeline) => {
        for (const id of taskIds) pipeline.getrange(taskResultKey(id), 0, 63).hmget(taskRecordKey(id), "st", "exp");
      });
      return taskIds.map((_, at) => toRun(String(answers[2 * at] ?? ""), answers[2 * at + 1]));
    },
    [Symbol.asyncDispose]: async () => redis.disconnect(),
  };
}

const listOf = (answer: unknown): readonly unknown[] => (Array.isArray(answer) ? answer : []);

function toClaim(answer: unknown): ClaimAnswer {
  const [status, value]: readonly unknown[] = Array.isArray(answer) ? answer : [];
  if (status === "HELD") return { held: String(value) };
  if (status === "BUSY") return { busy: Number(value) };
  if (status === "MOVED") return { moved: true };
  throw new TypeError(`claim.lua answered ${JSON.stringify(answer)}`);
}

/** The result counts first: it is what the task's caller sees. A lease that ended without a result is one of a task that stores none. */
function toRun(result: string, lease: unknown): RunState {
  const state = STATE.exec(result)?.[1];
  if (state !== undefined) return { state, over: OVER.has(state) };
  const [status]: readonly unknown[] = Array.isArray(lease) ? lease : [];
  if (status === "RUN" || status === "IDLE") return { state: "Running", over: false };
  return LEASE_OVER.has(String(status)) ? { state: status === "DONE" ? "SUCCESS" : "FAILURE", over: true } : undefined;
}

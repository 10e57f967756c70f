import type { TaskMessage } from "../protocol/task-message.ts";

/** Celery keeps as many ids, and as long: `REVOKES_MAX`, `REVOKE_EXPIRES`, celery/worker/state.py. */
const MAX_IDS = 50_000;
const KEEP_MS = 10_800_000;

type Stamps = Readonly<Record<string, readonly unknown[]>>;

export interface Revoked {
  add(ids: readonly string[], now: number): void;
  /** Tasks that carry one of these stamps. */
  addStamps(stamps: Stamps, now: number): void;
  has(task: Pick<TaskMessage, "id" | "stamps">, now: number): boolean;
  readonly ids: readonly string[];
}

const keyOf = (header: string, stamp: unknown): string => JSON.stringify([header, stamp]);

/** Whether a task carries one of these stamps. A stamp may be one value or a list. */
export const isStamped = ({ stamps }: Pick<TaskMessage, "stamps">, wanted: Stamps): boolean =>
  stampKeys(stamps).some((key) => Object.entries(wanted).some(([header, values]) => values.some((value) => keyOf(header, value) === key)));

const stampKeys = (stamps: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(stamps).flatMap(([header, value]) => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.map((stamp) => keyOf(header, stamp));
  });

/** Remembers since when, and forgets the oldest beyond Celery's limits. */
function newMemory() {
  const since = new Map<string, number>();
  return {
    keys: () => [...since.keys()],
    add(keys: readonly string[], now: number): void {
      for (const key of keys) {
        since.delete(key);
        since.set(key, now);
      }
      for (const [key, at] of since) {
        if (since.size <= MAX_IDS && now - at < KEEP_MS) break;
        since.delete(key);
      }
    },
    has(key: string, now: number): boolean {
      const at = since.get(key);
      return at !== undefined && now - at < KEEP_MS;
    },
  };
}

/** Tasks that must not run, by id or by stamp. */
export function newRevoked(): Revoked {
  const ids = newMemory();
  const stamps = newMemory();
  return {
    add: (given, now) => ids.add(given, now),
    addStamps: (given, now) =>
      stamps.add(
        Object.entries(given).flatMap(([header, values]) => values.map((value) => keyOf(header, value))),
        now,
      ),
    has: (task, now) => ids.has(task.id, now) || stampKeys(task.stamps).some((key) => stamps.has(key, now)),
    get ids() {
      return ids.keys();
    },
  };
}

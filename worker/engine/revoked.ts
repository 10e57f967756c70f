/** Celery keeps as many ids, and as long: `REVOKES_MAX`, `REVOKE_EXPIRES`, celery/worker/state.py. */
const MAX_IDS = 50_000;
const KEEP_MS = 10_800_000;

export interface Revoked {
  add(ids: readonly string[], now: number): void;
  has(id: string, now: number): boolean;
  readonly ids: readonly string[];
}

/** Ids of tasks that must not run. Forgets the oldest beyond Celery's limits. */
export function newRevoked(): Revoked {
  const since = new Map<string, number>();
  return {
    add(ids, now) {
      for (const id of ids) {
        since.delete(id);
        since.set(id, now);
      }
      for (const [id, at] of since) {
        if (since.size <= MAX_IDS && now - at < KEEP_MS) break;
        since.delete(id);
      }
    },
    has(id, now) {
      const at = since.get(id);
      return at !== undefined && now - at < KEEP_MS;
    },
    get ids() {
      return [...since.keys()];
    },
  };
}

import type { Cache } from "../cache/cache.ts";
import type { Clock } from "../clock.ts";
import { errorFields, type Log } from "../log.ts";
import type { KubeObject, ObjectKey } from "../object.ts";
import { type Outcome, type Verdict, verdictOf } from "../truth/outcome.ts";
import { BACKGROUND, createWorkQueue, type WorkQueue } from "./work-queue.ts";

export interface ControllerOptions<T extends KubeObject> {
  /** For logs and metrics, as `worker-pool`. */
  readonly name: string;
  readonly cache: Cache<T>;
  /**
   * Brings the world in line with one object; `undefined` means that it is gone. Level-triggered: it is told that something changed, not what.
   * The signal aborts when the operator stops or is no longer the leader.
   */
  readonly reconcile: (key: ObjectKey, object: T | undefined, signal: AbortSignal) => Promise<Outcome>;
  /** Called after every reconcile with what it came to: the place to write the status. A throw counts as a failed reconcile. */
  readonly report?: (key: ObjectKey, object: T, verdict: Verdict, signal: AbortSignal) => Promise<void>;
  /** Other caches whose changes concern objects of this one. */
  readonly related?: readonly Related[];
  /** Default 4. */
  readonly workers?: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly onReconciled?: (name: string, result: "ok" | "waiting" | "failed", seconds: number) => void;
}

/** Ties a cache of other objects to a controller; make it with `relate`. */
export interface Related {
  connect(enqueue: (key: ObjectKey) => void): Disposable;
  readonly synced: (signal: AbortSignal) => Promise<void>;
}

/** Says which of the controller's objects a change of a related object concerns. */
export function relate<R extends KubeObject>(cache: Cache<R>, keysOf: (object: R) => readonly ObjectKey[]): Related {
  return {
    synced: (signal) => cache.synced(signal),
    connect: (enqueue) =>
      cache.subscribe(({ object, previous }) => {
        const keys = new Set([object, previous].flatMap((one) => (one === undefined ? [] : keysOf(one))));
        for (const key of keys) enqueue(key);
      }),
  };
}

export interface Controller {
  /** Works until the signal aborts; resolves when the last reconcile has ended. Waits for its caches first: it never acts on a cold one. */
  run(signal: AbortSignal): Promise<void>;
  /** Asks for a reconcile, as after a change of something that no cache holds. Does nothing while it does not run. */
  enqueue(key: ObjectKey): void;
  /** Reconciles one key now, outside the queue. For tests. */
  runOnce(key: ObjectKey, signal: AbortSignal): Promise<Verdict>;
}

export function createController<T extends KubeObject>(options: ControllerOptions<T>): Controller {
  const { name, cache, reconcile, report, related = [], workers = 4, clock, random, onReconciled } = options;
  const log = options.log.child({ controller: name });
  let queue: WorkQueue | undefined;

  const attempt = async (key: ObjectKey, signal: AbortSignal): Promise<Verdict> => {
    const object = cache.get(key);
    let verdict: Verdict;
    try {
      verdict = verdictOf({ outcome: await reconcile(key, object, signal) });
    } catch (error) {
      verdict = verdictOf({ error });
      if (verdict.requeue === "backoff" && verdict.condition !== undefined && !signal.aborted) {
        log.error({ key, ...errorFields(error) }, "reconcile failed");
      }
    }
    if (signal.aborted || object === undefined || report === undefined) return verdict;
    try {
      await report(key, object, verdict, signal);
      return verdict;
    } catch (error) {
      const failed = verdictOf({ error });
      if (failed.condition !== undefined && !signal.aborted) log.error({ key, ...errorFields(error) }, "cannot report");
      return { ...verdict, requeue: "backoff" };
    }
  };

  const work = async (owner: WorkQueue, signal: AbortSignal): Promise<void> => {
    for (let key = await owner.take(signal); key !== undefined; key = await owner.take(signal)) {
      const started = clock.elapsed();
      const verdict = await attempt(key, signal);
      const result = verdict.condition?.status === "True" ? "ok" : verdict.requeue === "backoff" ? "failed" : "waiting";
      onReconciled?.(name, result, (clock.elapsed() - started) / 1_000);
      settle(owner, key, verdict);
      owner.done(key);
    }
  };

  return {
    async run(signal) {
      using own = createWorkQueue({ clock, random });
      try {
        await Promise.all([cache.synced(signal), ...related.map((one) => one.synced(signal))]);
      } catch {
        return; // Stopped before anything was there to act on.
      }
      queue = own;
      using stack = new DisposableStack();
      stack.use(cache.subscribe(({ key, initial }) => own.add(key, { priority: initial ? BACKGROUND : 0 })));
      for (const one of related) stack.use(one.connect((key) => own.add(key)));
      await Promise.all(Array.from({ length: workers }, () => work(own, signal)));
      queue = undefined;
    },
    enqueue: (key) => queue?.add(key),
    runOnce: attempt,
  };
}

/** When a key comes again. */
function settle(queue: WorkQueue, key: ObjectKey, { requeue }: Verdict): void {
  if (requeue === "backoff") return queue.retry(key);
  queue.forget(key);
  if (requeue !== "none") queue.add(key, { afterMs: requeue.afterMs });
}

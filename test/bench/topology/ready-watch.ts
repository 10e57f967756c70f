import { setTimeout as delay } from "node:timers/promises";
import type { KubePort, Resource } from "../../../operator/adapters/ports.ts";
import { isKubeError } from "../../../operator/runtime/kube-error.ts";
import type { Condition, KubeObject } from "../../../operator/runtime/object.ts";

interface WithStatus extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** When each object of a kind became Ready, monotonic ms, as a client hears of it. */
export interface ReadyWatch extends AsyncDisposable {
  /** Resolves when this one is Ready, with the time. */
  ready(name: string): Promise<number>;
  /** Resolves when this many whose names begin so are Ready, with the time of the last. */
  count(prefix: string, wanted: number): Promise<number>;
  /** Events of the watch so far, whatever they said. */
  readonly heard: number;
}

interface Waiter {
  readonly wanted: (name: string) => boolean;
  readonly resolve: (at: number) => void;
  missing: number;
}

/** Hears of everything in one namespace from now on, and of what is there already. */
export async function watchReady(kube: KubePort, resource: Resource, namespace: string): Promise<ReadyWatch> {
  const times = new Map<string, number>();
  const waiters = new Set<Waiter>();
  const stop = new AbortController();
  let heard = 0;
  const take = (object: WithStatus): void => {
    heard += 1;
    const { name } = object.metadata;
    const ready = object.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    if (!ready || times.has(name)) return;
    const now = performance.now();
    times.set(name, now);
    for (const waiter of waiters) if (waiter.wanted(name) && --waiter.missing === 0) waiter.resolve(now);
  };
  const first = await kube.list<WithStatus>(resource, { namespace }, { limit: 20_000 }, stop.signal);
  first.items.forEach(take);
  let version = first.resourceVersion;
  const followOnce = async (): Promise<void> => {
    for await (const event of kube.watch<WithStatus>(resource, { namespace }, version, stop.signal)) {
      version = event.type === "BOOKMARK" ? event.resourceVersion : (event.object.metadata.resourceVersion ?? version);
      if (event.type !== "BOOKMARK") take(event.object);
    }
  };
  const follow = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await followOnce();
      } catch (error) {
        // Right after a CRD was made the API server asks for patience.
        if (!isKubeError(error, 429)) throw error;
        await delay(100);
      }
    }
  };
  const following = follow().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  const until = async (wanted: (name: string) => boolean, count: number): Promise<number> => {
    const seen = [...times].filter(([name]) => wanted(name)).map(([, at]) => at);
    if (seen.length >= count) return Math.max(...seen);
    const { promise, resolve } = Promise.withResolvers<number>();
    const waiter = { wanted, resolve, missing: count - seen.length };
    waiters.add(waiter);
    const ended = following.then((): never => {
      throw new Error("the watch ended");
    });
    return Promise.race([promise, ended]).finally(() => waiters.delete(waiter));
  };
  return {
    get heard() {
      return heard;
    },
    ready: (name) => until((one) => one === name, 1),
    count: (prefix, wanted) => until((name) => name.startsWith(prefix), wanted),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}

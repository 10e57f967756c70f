import type { KubePort, Resource } from "../../../operator/adapters/ports.ts";
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
}

/** Hears of everything in one namespace from now on, and of what is there already. */
export async function watchReady(kube: KubePort, resource: Resource, namespace: string): Promise<ReadyWatch> {
  const times = new Map<string, number>();
  const waiters = new Set<() => void>();
  const stop = new AbortController();
  const take = (object: WithStatus): void => {
    const { name } = object.metadata;
    const ready = object.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    if (!ready || times.has(name)) return;
    times.set(name, performance.now());
    for (const waiter of waiters) waiter();
  };
  const first = await kube.list<WithStatus>(resource, { namespace }, { limit: 20_000 }, stop.signal);
  first.items.forEach(take);
  const follow = async (): Promise<void> => {
    for (let version = first.resourceVersion; !stop.signal.aborted; ) {
      for await (const event of kube.watch<WithStatus>(resource, { namespace }, version, stop.signal)) {
        version = event.type === "BOOKMARK" ? event.resourceVersion : (event.object.metadata.resourceVersion ?? version);
        if (event.type !== "BOOKMARK") take(event.object);
      }
    }
  };
  const following = follow().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  const until = async <T>(found: () => T | undefined): Promise<T> => {
    for (;;) {
      const value = found();
      if (value !== undefined) return value;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiters.add(resolve);
      await Promise.race([promise, following.then(() => Promise.reject(new Error("the watch ended")))]);
      waiters.delete(resolve);
    }
  };
  return {
    ready: (name) => until(() => times.get(name)),
    count: (prefix, wanted) =>
      until(() => {
        const seen = [...times].filter(([name]) => name.startsWith(prefix));
        return seen.length < wanted ? undefined : Math.max(...seen.map(([, at]) => at));
      }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}

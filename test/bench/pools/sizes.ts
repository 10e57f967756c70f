import type { KubePort } from "../../../operator/adapters/ports.ts";
import { DEPLOYMENTS } from "../../../operator/kinds/worker-pool/apply-deployment.ts";
import type { Deployment } from "../../../operator/kinds/worker-pool/deployment.ts";
import { type Cache, createCache } from "../../../operator/runtime/cache/cache.ts";
import { systemClock as clock } from "../../../operator/runtime/clock.ts";
import type { Log } from "../../../operator/runtime/log.ts";
import { NAMESPACE } from "./objects.ts";

/** The sizes of all Deployments as a watcher sees them. */
export interface SizesWatch extends AsyncDisposable {
  count(): number;
  /** Resolves with the time (performance.now()) at which this Deployment was seen at this size, now or later. Throws after `ms`. */
  reached(name: string, replicas: number, ms: number): Promise<number>;
}

export function watchSizes(kube: KubePort, log: Log): SizesWatch {
  const options = { kube, clock, log, random: Math.random, resource: DEPLOYMENTS, selection: { namespace: NAMESPACE } };
  const cache: Cache<Deployment> = createCache<Deployment>(options);
  const waiting = new Map<string, { readonly replicas: number; readonly seen: (at: number) => void }>();
  const sizeOf = (name: string) => cache.get(`${NAMESPACE}/${name}`)?.spec.replicas;
  cache.subscribe(({ object }) => {
    const one = object && waiting.get(object.metadata.name);
    if (one !== undefined && object?.spec.replicas === one.replicas) one.seen(performance.now());
  });
  cache.start();
  return {
    count: () => cache.list().length,
    async reached(name, replicas, ms) {
      if (sizeOf(name) === replicas) return performance.now();
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      waiting.set(name, { replicas, seen: resolve });
      const late = () => reject(new Error(`${name} did not reach ${replicas} replicas within ${ms} ms; it has ${sizeOf(name) ?? "none"}`));
      const timer = setTimeout(late, ms);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(name);
      }
    },
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}

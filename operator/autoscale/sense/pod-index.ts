import { POOL_LABEL } from "../../../worker/contract/names.ts";
import type { Pod } from "../../kinds/worker-pool/pods.ts";
import type { Cache } from "../../runtime/cache/cache.ts";
import { keyOf, type ObjectKey } from "../../runtime/object.ts";

/** The pods of each pool, kept beside the cache so that nobody looks through all pods for one pool. */
export interface PodIndex extends Disposable {
  of(pool: ObjectKey): readonly Pod[];
}

export function indexPods(cache: Pick<Cache<Pod>, "subscribe">): PodIndex {
  const byPool = new Map<ObjectKey, Map<ObjectKey, Pod>>();
  const remove = (pod: Pod): void => {
    const pool = poolOf(pod);
    const pods = byPool.get(pool);
    pods?.delete(keyOf(pod));
    if (pods?.size === 0) byPool.delete(pool);
  };
  const subscription = cache.subscribe(({ object, previous }) => {
    if (previous !== undefined) remove(previous);
    if (object === undefined || object.metadata.labels?.[POOL_LABEL] === undefined) return;
    const pool = poolOf(object);
    const pods = byPool.get(pool) ?? new Map<ObjectKey, Pod>();
    byPool.set(pool, pods.set(keyOf(object), object));
  });
  return {
    of: (pool) => [...(byPool.get(pool)?.values() ?? [])],
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

const poolOf = ({ metadata }: Pod): ObjectKey => `${metadata.namespace ?? ""}/${metadata.labels?.[POOL_LABEL] ?? ""}`;

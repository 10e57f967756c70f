import type { KubePort, Resource } from "../../adapters/ports.ts";

/** Writes side by side, by what they are: thousands at once would cost the API server's fairness, and a connection each. */
const LANES = { act: 16, tell: 8 } as const;

/**
 * Writes in turns: what acts (scales, applies, marks) in one queue, what only tells (status, events) in another, so that a thousand reports never
 * hold up one decision. Reads, watches and leases wait for nobody. A write that waits is sent to `kube` when it is its turn: one that refuses by
 * then refuses it.
 */
export function inLanes(kube: KubePort): KubePort {
  const act = createLanes(LANES.act);
  const tell = createLanes(LANES.tell);
  const lanesFor = ({ plural }: Resource, subresource?: string): Lanes =>
    plural === "leases" ? atOnce : subresource === "status" || plural === "events" ? tell : act;
  return {
    list: (resource, selection, page, signal) => kube.list(resource, selection, page, signal),
    watch: (resource, selection, version, signal) => kube.watch(resource, selection, version, signal),
    get: (resource, namespace, name) => kube.get(resource, namespace, name),
    create: (resource, object) => lanesFor(resource)(() => kube.create(resource, object)),
    apply: (resource, object, subresource) => lanesFor(resource, subresource)(() => kube.apply(resource, object, subresource)),
    patch: (resource, namespace, name, patch, subresource) =>
      lanesFor(resource, subresource)(() => kube.patch(resource, namespace, name, patch, subresource)),
    delete: (resource, namespace, name, options) => lanesFor(resource)(() => kube.delete(resource, namespace, name, options)),
  };
}

type Lanes = <T>(work: () => Promise<T>) => Promise<T>;

const atOnce: Lanes = (work) => work();

function createLanes(count: number): Lanes {
  // A set keeps the order, and gives up its first without moving the others.
  const waiting = new Set<() => void>();
  let free = count;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.add(resolve));
    try {
      return await work();
    } finally {
      const [first] = waiting;
      if (first === undefined) free++;
      else {
        waiting.delete(first);
        first();
      }
    }
  };
}

import type { KubePort } from "../../adapters/ports.ts";
import { KubeError } from "../kube-error.ts";

/**
 * The API for one term of leadership. From the moment that the signal aborts, every call fails, those under way too: a leader that has lost the lease
 * changes nothing more, whatever its parts are in the middle of. What was sent already may still be carried out by the server, as with any lost answer.
 * Failures are `KubeError` with status 0 and reason `TermEnded`.
 */
export function fenced(kube: KubePort, signal: AbortSignal): KubePort {
  const ended = () => new KubeError(0, "TermEnded", "this process is not the leader any more");

  const within = async <T>(call: () => Promise<T>): Promise<T> => {
    if (signal.aborted) throw ended();
    const { promise, reject } = Promise.withResolvers<never>();
    const abort = () => reject(ended());
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([call(), promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };

  return {
    list: (resource, selection, page, own) => within(() => kube.list(resource, selection, page, own)),
    watch: (resource, selection, version, own) => kube.watch(resource, selection, version, AbortSignal.any([signal, own])),
    get: (resource, namespace, name) => within(() => kube.get(resource, namespace, name)),
    create: (resource, object) => within(() => kube.create(resource, object)),
    apply: (resource, object, subresource) => within(() => kube.apply(resource, object, subresource)),
    patch: (resource, namespace, name, patch, subresource) => within(() => kube.patch(resource, namespace, name, patch, subresource)),
    delete: (resource, namespace, name, options) => within(() => kube.delete(resource, namespace, name, options)),
  };
}

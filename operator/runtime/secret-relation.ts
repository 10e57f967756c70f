import type { Cache } from "./cache/cache.ts";
import type { KubeObject, ObjectKey } from "./object.ts";
import type { Related } from "./queue/controller.ts";
import type { SecretReader } from "./secrets.ts";

/** Reconciles an object when a Secret that it names, in its own namespace, comes, goes or changes. Watches only what is named now. */
export function relateSecrets<T extends KubeObject>(
  cache: Cache<T>,
  secrets: Pick<SecretReader, "watch">,
  namesOf: (object: T) => readonly string[],
): Related {
  return {
    synced: (signal) => cache.synced(signal),
    connect(enqueue) {
      const watches = new Map<ObjectKey, DisposableStack>();
      const follow = ({ key, object }: { readonly key: ObjectKey; readonly object?: T }): void => {
        const before = watches.get(key);
        watches.delete(key);
        if (object !== undefined) {
          const stack = new DisposableStack();
          const namespace = object.metadata.namespace ?? "";
          for (const name of new Set(namesOf(object))) stack.use(secrets.watch(namespace, name, () => enqueue(key)));
          watches.set(key, stack);
        }
        // After the new ones: a Secret that is named still goes on being polled, without a first look.
        before?.dispose();
      };
      const subscription = cache.subscribe(follow);
      return {
        [Symbol.dispose]() {
          subscription[Symbol.dispose]();
          for (const stack of watches.values()) stack.dispose();
          watches.clear();
        },
      };
    },
  };
}

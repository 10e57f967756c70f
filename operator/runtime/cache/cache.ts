import type { KubePort, Resource, Selection } from "../../adapters/ports.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../object.ts";
import { reflect } from "./reflector.ts";

export interface CacheOptions {
  readonly kube: Pick<KubePort, "list" | "watch">;
  readonly resource: Resource;
  readonly selection: Selection;
  /** The namespaces to look at; empty or absent: those of `selection`, else all. */
  readonly namespaces?: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Called at least once a minute and a half, however little happens: the cache is alive. */
  readonly onRound?: () => void;
}

/** `object` absent: it was deleted. `previous` absent: it is new. `initial`: it was there when the cache began. */
export interface Change<T> {
  readonly key: ObjectKey;
  readonly object?: T;
  readonly previous?: T;
  readonly initial: boolean;
}

/** What the API server has, kept fresh by a watch. Objects are shared: never change them. */
export interface Cache<T extends KubeObject> extends AsyncDisposable {
  readonly resource: Resource;
  readonly get: (key: ObjectKey) => T | undefined;
  list(): readonly T[];
  /**
   * Calls back on every change from now on; what is there already is told at once, as `initial`. What was deleted or changed while the
   * connection was lost is told too. The listener must not throw and must not wait.
   */
  subscribe(listener: (change: Change<T>) => void): Disposable;
  /** Begins to list and watch. Twice is once. */
  start(): void;
  /** Resolves when all that was there has been told; rejects with the signal's reason when it aborts first. */
  synced(signal: AbortSignal): Promise<void>;
  /** For readiness: `cause` says what keeps it from being fresh, as a refusal by RBAC. */
  state(): { readonly synced: boolean; readonly cause?: string };
}

export function createCache<T extends KubeObject>(options: CacheOptions): Cache<T> {
  const { selection, namespaces = [] } = options;
  const stop = new AbortController();
  const objects = new Map<ObjectKey, T>();
  const listeners = new Set<(change: Change<T>) => void>();
  const selections: readonly Selection[] =
    namespaces.length === 0 ? [selection] : namespaces.map((namespace) => ({ ...selection, namespace }));
  const listed = new Set<Selection>();
  const troubles = new Map<Selection, string>();
  const firstSync = Promise.withResolvers<void>();
  let loops: Promise<unknown> | undefined;

  const tell = (change: Change<T>): void => {
    for (const listener of listeners) listener(change);
  };
  const put = (object: T, initial: boolean): void => {
    const key = keyOf(object);
    const previous = objects.get(key);
    // A watch that begins again may repeat what the list said already.
    if (previous !== undefined && previous.metadata.resourceVersion === object.metadata.resourceVersion) return;
    objects.set(key, object);
    tell(previous === undefined ? { key, object, initial } : { key, object, previous, initial });
  };
  const drop = (key: ObjectKey): void => {
    const previous = objects.get(key);
    if (previous === undefined) return;
    objects.delete(key);
    tell({ key, previous, initial: false });
  };

  const replace = (of: Selection, fresh: readonly T[]): void => {
    const initial = !listed.has(of);
    const keys = new Set(fresh.map(keyOf));
    for (const [key, object] of objects) {
      if ((of.namespace === undefined || object.metadata.namespace === of.namespace) && !keys.has(key)) drop(key);
    }
    for (const object of fresh) {
      // Made anew under the same name while nobody looked: that is a deletion and a creation.
      if (objects.get(keyOf(object))?.metadata.uid !== object.metadata.uid) drop(keyOf(object));
      put(object, initial);
    }
    listed.add(of);
    if (listed.size === selections.length) firstSync.resolve();
  };

  return {
    resource: options.resource,
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    subscribe(listener) {
      for (const [key, object] of objects) listener({ key, object, initial: true });
      listeners.add(listener);
      return { [Symbol.dispose]: () => listeners.delete(listener) };
    },
    start() {
      loops ??= Promise.all(
        selections.map((of) =>
          reflect<T>(
            {
              ...options,
              selection: of,
              onList: (fresh) => replace(of, fresh),
              onEvent: ({ type, object }) => (type === "DELETED" ? drop(keyOf(object)) : put(object, false)),
              onTrouble: (cause) => (cause === undefined ? troubles.delete(of) : troubles.set(of, cause)),
            },
            stop.signal,
          ),
        ),
      );
    },
    async synced(signal) {
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<void>();
      const abort = () => aborted.resolve();
      signal.addEventListener("abort", abort, { once: true });
      await Promise.race([firstSync.promise, aborted.promise]);
      signal.removeEventListener("abort", abort);
      if (listed.size < selections.length) signal.throwIfAborted();
    },
    state() {
      const synced = listed.size === selections.length;
      const [cause] = troubles.values();
      return cause === undefined ? { synced } : { synced, cause };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      listeners.clear();
      await loops;
    },
  };
}

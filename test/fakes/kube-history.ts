import type { Resource, Selection, WatchEvent } from "../../operator/adapters/ports.ts";
import { KubeError } from "../../operator/runtime/kube-error.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";
import { selects } from "./selects.ts";

/** One change; `before` or `after` is absent when it was made or deleted. */
export interface Entry {
  readonly version: number;
  readonly type: string;
  readonly before?: KubeObject;
  readonly after?: KubeObject;
}

export const typeOf = ({ group, plural }: Resource): string => `${group}/${plural}`;

export interface History {
  record(entry: Entry): void;
  /** Forgets what is older than this version: watches from before get 410. */
  compact(version: number): void;
  /** Ends every watch: as the server does after its time, or with an error, as a lost connection does. */
  endWatches(error?: Error): void;
  watch<T extends KubeObject>(resource: Resource, selection: Selection, from: number, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
  readonly watches: number;
}

interface Watcher {
  end?: { readonly error?: Error };
  readonly wake: () => void;
}

export function createHistory(): History {
  const entries: Entry[] = [];
  const watchers = new Set<Watcher>();
  let oldest = 0;
  const wakeAll = () => {
    for (const watcher of watchers) watcher.wake();
  };

  async function* watch<T extends KubeObject>(
    resource: Resource,
    selection: Selection,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    if (from < oldest) throw new KubeError(410, "Expired", `too old resource version: ${from} (${oldest})`);
    let woken = Promise.withResolvers<void>();
    const watcher: Watcher = { wake: () => woken.resolve() };
    watchers.add(watcher);
    signal.addEventListener("abort", watcher.wake, { once: true });
    try {
      yield { type: "BOOKMARK", resourceVersion: String(from) };
      let seen = from;
      for (;;) {
        woken = Promise.withResolvers<void>();
        for (const entry of entries.filter(({ version }) => version > seen)) {
          seen = entry.version;
          const event = entry.type === typeOf(resource) ? eventOf(selection, entry) : undefined;
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what the resource holds, as with the real API
          if (event !== undefined) yield event as WatchEvent<T>;
        }
        if (signal.aborted) throw new KubeError(0, "Aborted", "the watch was aborted");
        if (watcher.end?.error !== undefined) throw watcher.end.error;
        if (watcher.end !== undefined) return;
        await woken.promise;
      }
    } finally {
      watchers.delete(watcher);
      signal.removeEventListener("abort", watcher.wake);
    }
  }

  return {
    record(entry) {
      entries.push(entry);
      wakeAll();
    },
    compact(version) {
      oldest = version;
      entries.splice(0, entries.length, ...entries.filter((entry) => entry.version > version));
    },
    endWatches(error) {
      for (const watcher of watchers) watcher.end = error === undefined ? {} : { error };
      wakeAll();
    },
    watch,
    get watches() {
      return watchers.size;
    },
  };
}

/** What a watch with this selection sees of a change: leaving the selection is a deletion, entering it an addition. */
function eventOf(selection: Selection, { before, after }: Entry): WatchEvent<KubeObject> | undefined {
  const was = before !== undefined && selects(selection, before);
  const is = after !== undefined && selects(selection, after);
  if (is) return { type: was ? "MODIFIED" : "ADDED", object: after };
  return was ? { type: "DELETED", object: after ?? before } : undefined;
}

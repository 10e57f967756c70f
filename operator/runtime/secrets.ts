import type { KubePort, Resource } from "../adapters/ports.ts";
import type { Clock } from "./clock.ts";
import { isKubeError } from "./kube-error.ts";
import { errorFields, type Log } from "./log.ts";
import type { KubeObject } from "./object.ts";
import { Waiting } from "./truth/outcome.ts";

const SECRETS: Resource = { group: "", version: "v1", plural: "secrets", kind: "Secret" };

interface SecretObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface SecretReader extends Disposable {
  /**
   * One value, decoded. Never logged, never cached beyond the call.
   * Throws `Waiting` with `SecretMissing`, `SecretKeyMissing` or `Forbidden`; `KubeError` when the API fails.
   */
  read(namespace: string, name: string, key: string): Promise<string>;
  /** Calls back when the Secret comes, goes or changes. It need not exist. Costs one `get` per Secret and poll, however many watch it. */
  watch(namespace: string, name: string, onChange: () => void): Disposable;
}

export interface SecretReaderOptions {
  readonly kube: Pick<KubePort, "get">;
  readonly clock: Clock;
  readonly log: Log;
  /** Default 3,000. */
  readonly pollMs?: number;
}

interface Watched {
  readonly listeners: Set<() => void>;
  /** Version last seen; null: there was none; undefined: not yet looked. */
  version: string | null | undefined;
  timer?: Disposable;
}

/** Reads Secrets by name, with no permission but `get`: no list, hence no watch, hence the poll. */
export function createSecretReader({ kube, clock, log, pollMs = 3_000 }: SecretReaderOptions): SecretReader {
  const watched = new Map<string, Watched>();

  const poll = async (id: string, namespace: string, name: string, entry: Watched): Promise<void> => {
    try {
      const secret = await kube.get<SecretObject>(SECRETS, namespace, name);
      const version = secret?.metadata.resourceVersion ?? null;
      const changed = entry.version !== undefined && entry.version !== version;
      entry.version = version;
      if (changed) for (const listener of entry.listeners) listener();
    } catch (error) {
      log.debug({ secret: id, ...errorFields(error) }, "cannot look at the secret, trying again");
    }
    if (watched.get(id) === entry) entry.timer = clock.after(pollMs, () => void poll(id, namespace, name, entry));
  };

  return {
    async read(namespace, name, key) {
      const where = `Secret ${namespace}/${name}`;
      const secret = await kube.get<SecretObject>(SECRETS, namespace, name).catch((error: unknown) => {
        if (isKubeError(error, 403)) throw new Waiting("Forbidden", `${where} cannot be read: ${error.message}`, { cause: error });
        throw error;
      });
      if (secret === undefined) throw new Waiting("SecretMissing", `${where} does not exist`);
      const value = secret.data?.[key];
      if (value !== undefined) return Buffer.from(value, "base64").toString("utf8");
      const keys = Object.keys(secret.data ?? {});
      throw new Waiting("SecretKeyMissing", `${where} has no key ${key}; it has ${keys.length === 0 ? "none" : keys.join(", ")}`);
    },
    watch(namespace, name, onChange) {
      const id = `${namespace}/${name}`;
      let entry = watched.get(id);
      if (entry === undefined) {
        entry = { listeners: new Set(), version: undefined };
        watched.set(id, entry);
        void poll(id, namespace, name, entry);
      }
      const { listeners } = entry;
      // A function of its own, so that watching twice with the same callback is two watches.
      const listener = () => onChange();
      listeners.add(listener);
      return {
        [Symbol.dispose]() {
          listeners.delete(listener);
          const current = watched.get(id);
          if (current?.listeners !== listeners || listeners.size > 0) return;
          current.timer?.[Symbol.dispose]();
          watched.delete(id);
        },
      };
    },
    [Symbol.dispose]() {
      for (const { timer } of watched.values()) timer?.[Symbol.dispose]();
      watched.clear();
    },
  };
}

import type { StoreEndpoint, StorePort } from "../../adapters/ports.ts";
import type { ObjectKey } from "../../runtime/object.ts";
import type { SecretReader } from "../../runtime/secrets.ts";
import { done, type Outcome, requeueAfter, Waiting } from "../../runtime/truth/outcome.ts";
import type { Reason } from "../../runtime/truth/reasons.ts";
import type { StatusFields } from "../../runtime/truth/status.ts";
import { storeEndpoint } from "./endpoint.ts";
import type { Store } from "./schema.ts";

/** Why there is no endpoint; the message is for people and holds no login. */
export interface StoreProblem {
  readonly reason: Reason;
  readonly message: string;
}

export interface StoreDeps {
  readonly secrets: Pick<SecretReader, "read">;
  readonly connect: (endpoint: StoreEndpoint) => StorePort;
}

export interface Stores {
  /** Reads the Secret, asks the Redis, and remembers where the Store leads. Throws `Waiting`, `KubeError`. */
  reconcile(key: ObjectKey, store: Store | undefined): Promise<Outcome>;
  /** What the last reconcile found, for the status. */
  fieldsOf(key: ObjectKey): StatusFields;
  /** Where a Store leads, whether it answers or not. The same object while nothing changed. */
  endpointOf(namespace: string, name: string): StoreEndpoint | StoreProblem;
}

/** How often a Redis that works is asked again whether it still does, ms; and one that does not. */
const RECHECK_MS = 10_000;
const RETRY_MS = 2_000;

/** The Stores of this process: their endpoints, and what was found there. Opens a connection per look and closes it. */
export function createStores({ secrets, connect }: StoreDeps): Stores {
  const endpoints = new Map<ObjectKey, StoreEndpoint | StoreProblem>();
  const fields = new Map<ObjectKey, StatusFields>();

  const remember = (key: ObjectKey, to: StoreEndpoint | StoreProblem): void => {
    if (JSON.stringify(endpoints.get(key)) !== JSON.stringify(to)) endpoints.set(key, to);
  };

  const locate = async (key: ObjectKey, { metadata, spec }: Store): Promise<StoreEndpoint> => {
    const { name, key: entry } = spec.uriFrom.secretKeyRef;
    try {
      const found = storeEndpoint(await secrets.read(metadata.namespace ?? "", name, entry));
      if ("uri" in found) return found;
      throw new Waiting("SecretInvalid", `Secret ${name}, key ${entry}: ${found.message}`, { retryAfterMs: RETRY_MS });
    } catch (error) {
      // A failing API server says nothing of where the Store is: what was known stays.
      if (error instanceof Waiting) remember(key, { reason: error.reason, message: `Store ${metadata.name}: ${error.message}` });
      throw error;
    }
  };

  return {
    async reconcile(key, store) {
      if (store === undefined) {
        endpoints.delete(key);
        fields.delete(key);
        return done;
      }
      const endpoint = await locate(key, store);
      remember(key, endpoint);
      fields.set(key, { endpoint: endpoint.display });
      const { version, evictionPolicy, clustered } = await probe(connect, endpoint);
      fields.set(key, { endpoint: endpoint.display, version, evictionPolicy });
      if (clustered) throw new Waiting("StoreClustered", `${endpoint.display} is a node of a Redis Cluster`, { retryAfterMs: RECHECK_MS });
      if (evictionPolicy === "noeviction" || evictionPolicy === "unknown") return requeueAfter(RECHECK_MS);
      const message = `maxmemory-policy of ${endpoint.display} is ${evictionPolicy}`;
      throw new Waiting("StoreMayEvict", message, { retryAfterMs: RECHECK_MS });
    },
    fieldsOf: (key) => fields.get(key) ?? {},
    endpointOf: (namespace, name) =>
      endpoints.get(`${namespace}/${name}`) ?? {
        reason: "StoreMissing",
        message: `Store ${name} does not exist in namespace ${namespace}, or was not looked at yet`,
      },
  };
}

async function probe(connect: StoreDeps["connect"], endpoint: StoreEndpoint): ReturnType<StorePort["probe"]> {
  await using store = connect(endpoint);
  try {
    return await store.probe();
  } catch (error) {
    const reason =
      error instanceof Error && "failure" in error && error.failure === "StoreRefusedLogin" ? error.failure : "StoreUnreachable";
    throw new Waiting(reason, `${endpoint.display}: ${error instanceof Error ? error.message : String(error)}`, {
      retryAfterMs: RETRY_MS,
      cause: error,
    });
  }
}

import type { KubePort, Resource } from "../../adapters/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isKubeError } from "../../runtime/kube-error.ts";
import type { KubeObject } from "../../runtime/object.ts";
import { Waiting } from "../../runtime/truth/outcome.ts";

/** What pods read: the names of its keys, and a version that differs when the content does. The content itself is not kept. */
export interface DataFacts {
  readonly keys: readonly string[];
  readonly version: string;
}

export interface DataReader {
  /** undefined when there is none. Throws `Waiting` with `Forbidden`; `KubeError` when the API fails. */
  read(kind: "Secret" | "ConfigMap", namespace: string, name: string): Promise<DataFacts | undefined>;
}

interface DataObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

const RESOURCES: Readonly<Record<"Secret" | "ConfigMap", Resource>> = {
  Secret: { group: "", version: "v1", plural: "secrets", kind: "Secret" },
  ConfigMap: { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" },
};

/**
 * Reads by name, with no permission but `get`. Pools of one namespace share their Secrets: what was read less than `freshMs` ago (default 3,000)
 * is not read again. Never keeps the content of a Secret.
 */
export function createDataReader(options: {
  readonly kube: Pick<KubePort, "get">;
  readonly clock: Pick<Clock, "elapsed">;
  readonly freshMs?: number;
}): DataReader {
  const { kube, clock, freshMs = 3_000 } = options;
  const recent = new Map<string, { readonly at: number; readonly facts: Promise<DataFacts | undefined> }>();
  return {
    read(kind, namespace, name) {
      const id = `${kind}/${namespace}/${name}`;
      const now = clock.elapsed();
      for (const [key, { at }] of recent) if (now - at >= freshMs) recent.delete(key);
      const known = recent.get(id);
      if (known !== undefined) return known.facts;
      const facts = look(kube, kind, namespace, name);
      recent.set(id, { at: now, facts });
      // A failure is told to those who wait for it, and the next one asks anew.
      facts.catch(() => recent.delete(id));
      return facts;
    },
  };
}

async function look(
  kube: Pick<KubePort, "get">,
  kind: "Secret" | "ConfigMap",
  namespace: string,
  name: string,
): Promise<DataFacts | undefined> {
  try {
    const found = await kube.get<DataObject>(RESOURCES[kind], namespace, name);
    if (found === undefined) return undefined;
    const { uid = "", resourceVersion = "" } = found.metadata;
    return { keys: Object.keys({ ...found.data, ...found.binaryData }), version: `${uid}/${resourceVersion}` };
  } catch (error) {
    if (isKubeError(error, 403))
      throw new Waiting("Forbidden", `${kind} ${namespace}/${name} cannot be read: ${error.message}`, { cause: error });
    throw error;
  }
}

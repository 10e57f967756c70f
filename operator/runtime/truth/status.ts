import { isDeepStrictEqual } from "node:util";
import type { KubePort, Resource } from "../../adapters/ports.ts";
import type { Clock } from "../clock.ts";
import { isKubeError } from "../kube-error.ts";
import type { Condition, KubeObject } from "../object.ts";
import { type ConditionInput, setConditions } from "./conditions.ts";

export interface WithStatus extends KubeObject {
  readonly status?: object & { readonly conditions?: readonly Condition[] };
}

/** Fields of the status, without `conditions` and `observedGeneration`. A field that is absent is taken away; undefined counts as absent. */
export type StatusFields = Readonly<Record<string, unknown>>;

export interface StatusWriter {
  /**
   * Makes the status what is said: fields, conditions, `observedGeneration` of the object given. Writes by server-side apply, and only when it
   * differs from the object's. An object that is gone meanwhile is a success. Throws `KubeError`. Resolves whether it wrote.
   */
  write(
    resource: Resource,
    object: WithStatus,
    said: { readonly conditions: readonly ConditionInput[]; readonly fields?: StatusFields },
  ): Promise<boolean>;
}

export function createStatusWriter({ kube, clock }: { readonly kube: Pick<KubePort, "apply">; readonly clock: Clock }): StatusWriter {
  return {
    async write(resource, object, { conditions, fields = {} }) {
      const { name, namespace, generation, uid } = object.metadata;
      const next = withoutUndefined({
        ...fields,
        ...(generation === undefined ? {} : { observedGeneration: generation }),
        conditions: setConditions(object.status?.conditions, conditions, generation, clock.now()),
      });
      if (isDeepStrictEqual(next, object.status ?? {})) return false;
      const { apiVersion, kind } = object;
      // With the uid, an object made anew under the same name does not get the old one's status (409).
      const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) };
      try {
        await kube.apply(resource, { apiVersion, kind, metadata, status: next } as WithStatus, "status");
        return true;
      } catch (error) {
        if (isKubeError(error, 404)) return false;
        throw error;
      }
    },
  };
}

/** As JSON would have it, so that comparing with what the API server sent is fair. */
function withoutUndefined(value: object): object {
  const plain: object = JSON.parse(JSON.stringify(value));
  return plain;
}

import { isDeepStrictEqual } from "node:util";
import { POOL_LABEL } from "../../../worker/contract/names.ts";
import type { KubePort, Resource } from "../../adapters/ports.ts";
import { GROUP, VERSION } from "../../runtime/define-kind.ts";
import type { KubeObject, ObjectKey } from "../../runtime/object.ts";
import { keyOf } from "../../runtime/object.ts";
import { poolLabels } from "./pod-template.ts";
import type { WorkerPool } from "./schema.ts";

const BUDGETS: Resource = { group: "policy", version: "v1", plural: "poddisruptionbudgets", kind: "PodDisruptionBudget" };

/** A PodDisruptionBudget, as far as we look into it. */
export interface DisruptionBudget extends KubeObject {
  readonly spec: {
    readonly maxUnavailable?: string | number;
    readonly unhealthyPodEvictionPolicy?: string;
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  };
}

export interface BudgetDeps {
  readonly kube: Pick<KubePort, "get" | "apply" | "delete">;
  /** From the cache of budgets that carry a pool's label. */
  readonly budget: (key: ObjectKey) => DisruptionBudget | undefined;
}

/** Evicted workers finish what they run; at most this share of them does so at a time. Rounded up: a single replica never blocks a node drain. */
const MAX_UNAVAILABLE = "25%";

/** The PodDisruptionBudget of a pool. Pure. */
export function budgetOf(pool: WorkerPool): DisruptionBudget {
  const { name, namespace, uid } = pool.metadata;
  const owner = { apiVersion: `${GROUP}/${VERSION}`, kind: "WorkerPool", name, controller: true, blockOwnerDeletion: false };
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      labels: poolLabels(pool),
      ...(uid !== undefined && { ownerReferences: [{ ...owner, uid }] }),
    },
    spec: {
      maxUnavailable: MAX_UNAVAILABLE,
      // A worker that is not ready runs nothing: it never holds up a node.
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: { [POOL_LABEL]: name } },
    },
  };
}

/**
 * Makes the pool's budget what the pool says; writes only when it differs. Never touches one of that name that somebody else made:
 * two budgets over one pod would forbid every eviction. Throws `KubeError`.
 */
export async function applyBudget(pool: WorkerPool, { kube, budget }: BudgetDeps): Promise<void> {
  const { name, namespace, uid } = pool.metadata;
  const current = budget(keyOf(pool)) ?? (await kube.get<DisruptionBudget>(BUDGETS, namespace, name));
  const ours = current?.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid) === true;
  if (pool.spec.disruptionBudget === "None") {
    if (ours) await kube.delete(BUDGETS, namespace, name, current?.metadata.uid === undefined ? {} : { uid: current.metadata.uid });
    return;
  }
  if (current !== undefined && !ours) return;
  const desired = budgetOf(pool);
  if (current === undefined || !isDeepStrictEqual(current.spec, desired.spec)) await kube.apply(BUDGETS, desired);
}

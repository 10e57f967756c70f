import type { WorkerPool } from "../../kinds/worker-pool/schema.ts";
import { type KubeObject, keyOf } from "../../runtime/object.ts";
import type { Obstacle } from "./overrule.ts";

/** An HPA, as far as we look into it. KEDA makes one for each ScaledObject, too. */
export interface HorizontalPodAutoscaler extends KubeObject {
  readonly spec: { readonly scaleTargetRef: { readonly kind: string; readonly name: string } };
}

/**
 * Finds who else scales a pool. An HPA on the pool's Deployment would fight with us, and so would one on a WorkerPool that has autoscaling;
 * one that drives a WorkerPool without autoscaling is what the scale subresource is for.
 */
export function findRivals(hpas: readonly HorizontalPodAutoscaler[]): (pool: WorkerPool) => Obstacle | undefined {
  const byTarget = new Map<string, string>();
  for (const { metadata, spec } of hpas) {
    const { kind, name } = spec.scaleTargetRef;
    byTarget.set(`${kind}/${metadata.namespace ?? ""}/${name}`, metadata.name);
  }
  return (pool) => {
    const { name } = pool.metadata;
    const onDeployment = byTarget.get(`Deployment/${keyOf(pool)}`);
    if (onDeployment !== undefined) {
      const where = pool.spec.autoscaling === undefined ? `let it scale WorkerPool ${name} instead` : "delete it";
      return conflict(`HorizontalPodAutoscaler ${onDeployment} scales Deployment ${name} of this pool, too; ${where}`);
    }
    const onPool = byTarget.get(`WorkerPool/${keyOf(pool)}`);
    if (onPool === undefined || pool.spec.autoscaling === undefined) return undefined;
    return conflict(`HorizontalPodAutoscaler ${onPool} scales this pool, which has spec.autoscaling; delete one of the two`);
  };
}

const conflict = (message: string): Obstacle => ({ reason: "Conflict", message, holds: "all" });

import { POOL_LABEL } from "../../../worker/contract/names.ts";
import type { KubePort } from "../../adapters/ports.ts";
import { isDeleting, keyOf, type ObjectKey } from "../../runtime/object.ts";
import { done, type Outcome, requeueAfter, Stalled, Waiting } from "../../runtime/truth/outcome.ts";
import { applyDeployment, DEPLOYMENTS } from "./apply-deployment.ts";
import { type Deployment, deploymentOf, replicasOf } from "./deployment.ts";
import { applyBudget, type BudgetDeps } from "./disruption-budget.ts";
import { queueEntries } from "./inputs.ts";
import { TemplateError } from "./merge.ts";
import { type ReferenceDeps, resolveReferences } from "./references.ts";
import type { WorkerPool } from "./schema.ts";

export interface PoolDeps extends ReferenceDeps, BudgetDeps {
  readonly kube: Pick<KubePort, "get" | "apply" | "delete">;
  /** From the cache of Deployments. */
  readonly deployment: (key: ObjectKey) => Deployment | undefined;
  /** Image of the worker, for runtime longshore. */
  readonly workerImage: string;
}

/** How often Secrets and ConfigMaps are looked at again: nothing watches them, by design. */
const RECHECK_MS = 10_000;

/**
 * Makes a pool's Deployment what the pool says. Its size it only gives at first; from then on the size is the autoscaler's.
 * Never deletes: the Deployment goes with the pool, through its owner reference.
 * Throws `Waiting` for what is missing, `Stalled` for what only the user can correct, `KubeError` for the rest.
 */
export async function reconcilePool(pool: WorkerPool, deps: PoolDeps): Promise<Outcome> {
  if (isDeleting(pool)) return done;
  const queues = queueNames(pool);
  const references = await resolveReferences(pool, deps);
  const current = await ownDeployment(pool, deps);
  const replicas = replicasOf(pool, current);
  const desired = refusingTemplates(() => deploymentOf(pool, { ...references, workerImage: deps.workerImage, queues, replicas }));
  await applyDeployment(deps.kube, desired, current);
  await applyBudget(pool, deps);
  return requeueAfter(RECHECK_MS);
}

function queueNames(pool: WorkerPool): readonly string[] {
  const read = queueEntries(pool);
  if ("problem" in read) throw new Stalled("InvalidSpec", read.problem);
  return read.queues.map(({ name }) => name);
}

/** The pool's Deployment, if there is one. What the cache does not know is asked for live, so that nobody's Deployment is taken over. */
async function ownDeployment(pool: WorkerPool, { kube, deployment }: PoolDeps): Promise<Deployment | undefined> {
  const { namespace, name, uid } = pool.metadata;
  const found = deployment(keyOf(pool)) ?? (await kube.get<Deployment>(DEPLOYMENTS, namespace, name));
  if (found === undefined) return undefined;
  const owner = found.metadata.ownerReferences?.find(({ controller }) => controller === true);
  // Left behind by `kubectl delete --cascade=orphan`: its pods go on under the new pool.
  const orphaned = owner === undefined && found.metadata.labels?.[POOL_LABEL] === name;
  if (isDeleting(found) || (owner?.kind === "WorkerPool" && owner.name === name && owner.uid !== uid)) {
    throw new Waiting("Pending", `Deployment ${name} of an earlier pool is being deleted`, { retryAfterMs: 1_000 });
  }
  if (owner?.uid === uid || orphaned) return found;
  const whose = owner === undefined ? "was not made by Longshore" : `belongs to ${owner.kind} ${owner.name}`;
  throw new Waiting("Conflict", `Deployment ${name} exists already and ${whose}`, { retryAfterMs: RECHECK_MS });
}

function refusingTemplates<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof TemplateError) throw new Stalled("InvalidSpec", error.message, { cause: error });
    throw error;
  }
}

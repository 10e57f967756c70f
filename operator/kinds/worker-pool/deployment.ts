import { declaredProblem } from "../../../worker/contract/declared-problem.ts";
import { INPUTS_ANNOTATION, POOL_LABEL, WORKER_CONTAINER } from "../../../worker/contract/names.ts";
import { GROUP, VERSION } from "../../runtime/define-kind.ts";
import type { KubeObject } from "../../runtime/object.ts";
import { declaredOf } from "./declared.ts";
import { delayedRoutes, type SecretKey } from "./inputs.ts";
import { mergeTemplate, TemplateError } from "./merge.ts";
import { ownTemplate, type PodTemplate, poolLabels } from "./pod-template.ts";
import type { WorkerPool } from "./schema.ts";

/** A Deployment, as far as we look into it. */
export interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: PodTemplate;
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

export interface DeploymentInputs {
  /** Image of the worker, for runtime longshore. */
  readonly workerImage: string;
  /** Of everything that the pods read from Secrets and ConfigMaps: another digest rolls them. */
  readonly inputsDigest: string;
  readonly replicas: number;
  /** Names of the queues on the broker. */
  readonly queues: readonly string[];
  readonly broker: SecretKey;
  readonly store?: SecretKey;
}

/**
 * Seconds between SIGTERM and SIGKILL when neither the template nor a time limit of the pool says: drained pods are idle, so this is for rollouts
 * and node drains.
 */
const GRACE_SECONDS = 65;

/** Of the grace period, what is kept for putting back what did not finish and closing connections. */
const CLOSING_SECONDS = 5;

/**
 * The Deployment of a pool: ours, with the user's template merged over it. Pure; never decides the number of replicas.
 * Throws `TemplateError` when the template cannot be merged or leaves no worker to run, or a declared task is wrong.
 */
export function deploymentOf(pool: WorkerPool, inputs: DeploymentInputs): Deployment {
  const { name, namespace, uid } = pool.metadata;
  const declared = declaredOf(pool);
  const problem = declared && declaredProblem(declared, "spec.tasks");
  if (problem !== undefined) throw new TemplateError(problem);
  const delayed = delayedRoutes(pool, inputs.queues);
  if ("problem" in delayed) throw new TemplateError(delayed.problem);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      labels: poolLabels(pool),
      // Not blocking: the pool's own deletion never waits for its pods.
      ...(uid !== undefined && {
        ownerReferences: [
          { apiVersion: `${GROUP}/${VERSION}`, kind: "WorkerPool", name, uid, controller: true, blockOwnerDeletion: false },
        ],
      }),
    },
    spec: {
      replicas: inputs.replicas,
      revisionHistoryLimit: 2,
      // Capacity never falls during a rollout, and old pods finish what they run.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
      selector: { matchLabels: { [POOL_LABEL]: name } },
      template: templateOf(pool, inputs, delayed.routes),
    },
  };
}

/**
 * The size to apply: the current one, whatever it is, for it is the autoscaler's, which drains before it shrinks, a pool of a fixed size too.
 * A new Deployment gets the first size. Pure.
 */
export function replicasOf({ spec }: WorkerPool, current: Deployment | undefined): number {
  const first = spec.autoscaling === undefined ? (spec.replicas ?? 1) : Math.max(spec.autoscaling.minReplicas, spec.replicas ?? 0);
  return current?.spec.replicas ?? first;
}

function templateOf(pool: WorkerPool, inputs: DeploymentInputs, delayedRoutes: string | undefined): PodTemplate {
  const { workerImage, inputsDigest, queues, broker, store } = inputs;
  const theirs = pool.spec.template ?? {};
  const graceSeconds = graceOf(theirs, pool.spec.timeLimitSeconds);
  const drainSeconds = Math.max(0, graceSeconds - CLOSING_SECONDS);
  const own = ownTemplate(pool, { workerImage, broker, queues, drainSeconds, delayedRoutes, ...(store && { store }) });
  const { metadata, spec } = mergeTemplate({ ...own, spec: { ...own.spec, terminationGracePeriodSeconds: graceSeconds } }, theirs);
  checkWorker(spec);
  return {
    // Whatever the template says: the selector must find the pods, and changed inputs must roll them.
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [POOL_LABEL]: pool.metadata.name },
      annotations: { ...metadata.annotations, [INPUTS_ANNOTATION]: inputsDigest },
    },
    spec,
  };
}

/** The user's own grace period decides how long a worker may drain; without one it is as long as a task may run. */
function graceOf(template: Readonly<Record<string, unknown>>, timeLimitSeconds: number | undefined): number {
  const spec = template["spec"];
  const grace =
    typeof spec === "object" && spec !== null && "terminationGracePeriodSeconds" in spec ? spec.terminationGracePeriodSeconds : null;
  if (grace === null) return timeLimitSeconds === undefined ? GRACE_SECONDS : timeLimitSeconds + CLOSING_SECONDS;
  if (typeof grace === "number" && Number.isInteger(grace) && grace >= 0) return grace;
  throw new TemplateError(`spec.template.spec.terminationGracePeriodSeconds is ${JSON.stringify(grace)}; it must be whole seconds`);
}

function checkWorker({ containers }: PodTemplate["spec"]): void {
  const worker = containers.find(({ name }) => name === WORKER_CONTAINER);
  if (worker === undefined)
    throw new TemplateError(`spec.template.spec.containers has no container ${WORKER_CONTAINER}; it is the one that consumes`);
  if (worker.image === undefined) {
    throw new TemplateError(`spec.template.spec.containers has no image for the container ${WORKER_CONTAINER}; name the image to run`);
  }
}

import { TASK_MODULE_BROKEN_EXIT, WORKER_CONTAINER } from "../../../worker/contract/names.ts";
import type { KubeObject } from "../../runtime/object.ts";
import type { Reason } from "../../runtime/truth/reasons.ts";
import type { Deployment } from "./deployment.ts";

/** A pod, as far as we look into it. */
export interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly image?: string;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string }; readonly terminated?: Terminated };
  readonly lastState?: { readonly terminated?: Terminated };
}

interface Terminated {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
}

/** What keeps a pool's pods from working: a reason of the table, and what happened in words. The advice belongs to the reason. */
export interface PodProblem {
  readonly reason: Extract<Reason, "TaskModuleBroken" | "ImagePullFailed" | "PodsFailing" | "PodsPending" | "PodsRefused">;
  readonly message: string;
}

const CANNOT_PULL = new Set(["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"]);
const CANNOT_START = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff"]);

type Check = (pod: Pod) => PodProblem | undefined;

/**
 * The worst thing that a pool's pods or its Deployment have to tell, or undefined when nothing is wrong. Pure.
 * Read top to bottom: the first check that finds something in any pod speaks, because it is nearest to the cause.
 */
export function podProblem(pods: readonly Pod[], deployment?: Deployment): PodProblem | undefined {
  const living = pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
  const checks: readonly Check[] = [taskModuleBroken, imagePullFailed, failing, unschedulable];
  for (const check of checks)
    for (const pod of living) {
      const problem = check(pod);
      if (problem !== undefined) return problem;
    }
  return refused(deployment);
}

const taskModuleBroken: Check = (pod) => {
  for (const status of troubled(pod)) {
    const ended = lastEnd(status);
    if (status.name === WORKER_CONTAINER && ended?.exitCode === TASK_MODULE_BROKEN_EXIT) {
      return {
        reason: "TaskModuleBroken",
        message: `pod ${pod.metadata.name}: ${text(ended.message) || "a task module cannot be loaded"}`,
      };
    }
  }
  return undefined;
};

const imagePullFailed: Check = (pod) => {
  for (const { state, image = "", name } of troubled(pod)) {
    const { reason = "", message } = state?.waiting ?? {};
    if (CANNOT_PULL.has(reason))
      return {
        reason: "ImagePullFailed",
        message: `pod ${pod.metadata.name}, container ${name}, image ${image}: ${text(message) || reason}`,
      };
  }
  return undefined;
};

const failing: Check = (pod) => {
  for (const status of troubled(pod)) {
    const { reason = "", message } = status.state?.waiting ?? {};
    const ended = lastEnd(status);
    const at = `pod ${pod.metadata.name}, container ${status.name}`;
    if (ended !== undefined && (ended.exitCode !== 0 || reason === "CrashLoopBackOff")) {
      const why = [
        ended.reason === "OOMKilled" ? "used more memory than its limit" : `ended with status ${ended.exitCode}`,
        text(ended.message),
      ].filter(Boolean);
      return { reason: "PodsFailing", message: `${at} ${why.join(": ")} (${status.restartCount ?? 0} restarts)` };
    }
    if (CANNOT_START.has(reason)) return { reason: "PodsFailing", message: `${at}: ${text(message) || reason}` };
  }
  return undefined;
};

const unschedulable: Check = ({ metadata, status }) => {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  return { reason: "PodsPending", message: `pod ${metadata.name} fits on no node: ${text(scheduled.message)}` };
};

/** Quotas, limits and pod security speak through the ReplicaSet: there is no pod to look at. */
function refused(deployment: Deployment | undefined): PodProblem | undefined {
  const failure = deployment?.status?.conditions?.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  return failure && { reason: "PodsRefused", message: text(failure.message) || (failure.reason ?? "the pods cannot be created") };
}

const troubled = ({ status }: Pod): readonly ContainerStatus[] =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].filter(({ ready }) => ready !== true);

const lastEnd = ({ state, lastState }: ContainerStatus): Terminated | undefined => state?.terminated ?? lastState?.terminated;

/** One line, of a length that a condition can show. */
function text(message: string | undefined): string {
  const line = (message ?? "").trim().replaceAll(/\s*\n\s*/g, "; ");
  return line.length > 600 ? `${line.slice(0, 600)}…` : line;
}

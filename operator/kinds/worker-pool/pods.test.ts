import { expect, test } from "vitest";
import type { Deployment } from "./deployment.ts";
import { type Pod, type PodProblem, podProblem } from "./pods.ts";

type Status = NonNullable<Pod["status"]>;
const pod = (name: string, status: Status, more: object = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...more },
  status,
});
const worker = (status: object): Status => ({
  containerStatuses: [{ name: "worker", ready: false, restartCount: 2, image: "i:1", ...status }],
});

const healthy = pod("a", {
  containerStatuses: [{ name: "worker", ready: true, restartCount: 4, lastState: { terminated: { exitCode: 1 } } }],
});
const broken = worker({
  state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
  lastState: { terminated: { exitCode: 78, message: "/app/tasks/video.ts:3:7: Unexpected token\n" } },
});
const unpullable = worker({ state: { waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "i:1"' } } });
const crashing = worker({
  state: { waiting: { reason: "CrashLoopBackOff" } },
  lastState: { terminated: { exitCode: 1, message: "boom\n  at x" } },
});
const unschedulable: Status = {
  conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes: Insufficient cpu." }],
};

const cases: readonly [why: string, pods: readonly Pod[], problem: PodProblem | undefined][] = [
  ["no pods, no problem", [], undefined],
  ["a pod that restarted and is ready again is no problem", [healthy], undefined],
  ["a pod that starts is no problem", [pod("a", worker({ state: { waiting: { reason: "ContainerCreating" } } }))], undefined],
  [
    "a broken task module shows its file and line",
    [healthy, pod("b", broken)],
    { reason: "TaskModuleBroken", message: "pod b: /app/tasks/video.ts:3:7: Unexpected token" },
  ],
  [
    "an image that cannot be pulled is named",
    [pod("b", unpullable)],
    { reason: "ImagePullFailed", message: 'pod b, container worker, image i:1: Back-off pulling image "i:1"' },
  ],
  [
    "a crash shows the status, the last words on one line, and how often",
    [pod("b", crashing)],
    { reason: "PodsFailing", message: "pod b, container worker ended with status 1: boom; at x (2 restarts)" },
  ],
  [
    "too much memory is said in words",
    [pod("b", worker({ state: { terminated: { exitCode: 137, reason: "OOMKilled" } } }))],
    { reason: "PodsFailing", message: "pod b, container worker used more memory than its limit (2 restarts)" },
  ],
  [
    "a container that cannot be made says why",
    [pod("b", worker({ state: { waiting: { reason: "CreateContainerConfigError", message: 'secret "redis" not found' } } }))],
    { reason: "PodsFailing", message: 'pod b, container worker: secret "redis" not found' },
  ],
  [
    "a pod without a node waits",
    [pod("b", unschedulable)],
    { reason: "PodsPending", message: "pod b fits on no node: 0/1 nodes: Insufficient cpu." },
  ],
  [
    "the nearest cause speaks, whichever pod has it",
    [pod("a", unschedulable), pod("b", crashing), pod("c", broken)],
    expect.objectContaining({ reason: "TaskModuleBroken" }),
  ],
  ["a pod that is going has nothing to tell", [pod("b", crashing, { deletionTimestamp: "2026-01-01T00:00:00Z" })], undefined],
];
test.for(cases)("%s", ([, pods, problem]) => expect(podProblem(pods)).toEqual(problem));

test("a quota speaks through the Deployment", () => {
  const conditions = [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota: pods" }];
  const deployment = { status: { conditions } } as unknown as Deployment;
  expect(podProblem([], deployment)).toEqual({ reason: "PodsRefused", message: "exceeded quota: pods" });
});

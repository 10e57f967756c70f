import type { KubePort } from "../../operator/adapters/ports.ts";
import type { Deployment } from "../../operator/kinds/worker-pool/deployment.ts";
import type { Pod } from "../../operator/kinds/worker-pool/pods.ts";
import type { FakeClock } from "./clock.ts";
import type { FakeWorkers } from "./fake-workers.ts";
import type { FakeKube } from "./kube.ts";

const PODS = { group: "", version: "v1", plural: "pods", kind: "Pod" };
const DEPLOYMENTS = { group: "apps", version: "v1", plural: "deployments", kind: "Deployment" };
const COST = "controller.kubernetes.io/pod-deletion-cost";

/** Pods of the Deployment `default/video`: made and removed as Kubernetes' ReplicaSet controller does, ready after a while. */
export interface FakeReplicaSets {
  reconcile(): Promise<void>;
  /** How long a pod takes to become ready, ms. */
  startupMs: number;
  /** Tasks that ran in pods when they were removed: what must never happen. */
  readonly killed: number;
  /** Names of the pods that were removed. */
  readonly removed: readonly string[];
  inFlight(): number;
}

export function createFakeReplicaSets(kube: FakeKube & Pick<KubePort, "get">, clock: FakeClock, workers: FakeWorkers): FakeReplicaSets {
  const pods = new Map<string, { readonly readyAt: number; ready: boolean }>();
  const removed: string[] = [];
  let killed = 0;
  let made = 0;

  const create = (): void => {
    const name = `video-${made++}`;
    pods.set(name, { readyAt: clock.elapsed() + fake.startupMs, ready: false });
    const labels = { "longshore.dev/pool": "video" };
    const creationTimestamp = new Date(clock.now()).toISOString();
    kube.seed<Pod>(PODS, { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default", labels, creationTimestamp } });
  };
  const makeReady = async (name: string): Promise<void> => {
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: new Date(clock.now()).toISOString() }];
    const status = { phase: "Running", conditions, containerStatuses: [{ name: "worker", state: { running: {} } }] };
    workers.start(name);
    await kube.patch(PODS, "default", name, { status }, "status");
  };
  /** Not ready first, then the lowest cost, then the newest. */
  const rank = async (): Promise<readonly string[]> => {
    const ranked = await Promise.all(
      [...pods].map(async ([name, { ready }], age) => {
        const pod = await kube.get<Pod>(PODS, "default", name);
        return { name, ready, age, cost: Number(pod?.metadata.annotations?.[COST] ?? 0) };
      }),
    );
    return ranked.sort((a, b) => Number(a.ready) - Number(b.ready) || a.cost - b.cost || b.age - a.age).map(({ name }) => name);
  };

  const fake: FakeReplicaSets = {
    startupMs: 1_000,
    removed,
    get killed() {
      return killed;
    },
    inFlight: () => [...pods.keys()].reduce((sum, pod) => sum + workers.busy(pod), 0),
    async reconcile() {
      for (const [name, pod] of pods) {
        if (pod.ready || clock.elapsed() < pod.readyAt) continue;
        pod.ready = true;
        await makeReady(name);
      }
      const deployment = await kube.get<Deployment>(DEPLOYMENTS, "default", "video");
      const wanted = deployment?.spec.replicas ?? 0;
      while (pods.size < wanted) create();
      if (pods.size > wanted) {
        for (const name of (await rank()).slice(0, pods.size - wanted)) {
          killed += workers.stop(name);
          pods.delete(name);
          removed.push(name);
          kube.vanish(PODS, "default", name);
        }
      }
      const readyReplicas = [...pods.values()].filter(({ ready }) => ready).length;
      const status = { replicas: pods.size, readyReplicas, updatedReplicas: pods.size };
      if (deployment?.status?.readyReplicas !== readyReplicas || deployment.status.replicas !== pods.size) {
        await kube.patch(DEPLOYMENTS, "default", "video", { status }, "status");
      }
    },
  };
  return fake;
}

import { afterAll, beforeAll, expect, test } from "vitest";
import { type WorkerPool, workerPoolKind } from "../../operator/kinds/worker-pool/schema.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";
import { openStage, type Stage } from "../chaos/scaling-stage.ts";

const POOLS = resourceOf(workerPoolKind);
const HPAS = { group: "autoscaling", version: "v2", plural: "horizontalpodautoscalers", kind: "HorizontalPodAutoscaler" };
const BUDGETS = { group: "policy", version: "v1", plural: "poddisruptionbudgets", kind: "PodDisruptionBudget" };
const soon = { timeout: 30_000, interval: 50 };

let stage: Stage;
beforeAll(async () => {
  stage = await openStage("autoscale-spec");
}, 240_000);
afterAll(async () => await stage?.[Symbol.asyncDispose]());

const hpa = (kind: "Deployment" | "WorkerPool", name: string): KubeObject & { spec: object } => ({
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: { namespace: "default", name: `hpa-${name}` },
  spec: {
    minReplicas: 1,
    maxReplicas: 5,
    scaleTargetRef: { apiVersion: kind === "Deployment" ? "apps/v1" : "longshore.dev/v1alpha1", kind, name },
  },
});
/** What an HPA does with its target: it reads status and selector of the scale subresource, and sets its spec. */
const setScale = (name: string, replicas: number) => stage.kube.patch<WorkerPool>(POOLS, "default", name, { spec: { replicas } }, "scale");

test("an external HPA drives a pool without autoscaling by the scale subresource, up and down", async () => {
  const pool = await stage.pool("driven", { replicas: 1 });
  await stage.kube.apply(HPAS, hpa("WorkerPool", "driven"));
  await expect.poll(() => pool.sizes(), soon).toEqual([1]);
  // The selector is in the status by then; an HPA waits for it, too.
  await expect.poll(() => pool.status(), soon).toMatchObject({ message: "spec.replicas asks for 1" });
  const scale = await setScale("driven", 4);
  expect(scale).toMatchObject({ kind: "Scale", spec: { replicas: 4 }, status: { selector: "longshore.dev/pool=driven" } });
  await expect.poll(() => pool.sizes().at(-1), soon).toBe(4);
  await setScale("driven", 2);
  // Replicas without a pod are given up after some seconds: one may be about to appear.
  await expect.poll(() => pool.sizes().at(-1), { ...soon, timeout: 30_000 }).toBe(2);
  await expect.poll(() => pool.status(), soon).toMatchObject({ message: "spec.replicas asks for 2" });
});

test("an HPA on a pool's Deployment is refused by name until it is gone, and nothing of it is undone", async () => {
  const pool = await stage.pool("fought-over");
  await pool.publish(30);
  await expect.poll(() => pool.sizes().at(-1), soon).toBe(3);
  await stage.kube.apply(HPAS, hpa("Deployment", "fought-over"));
  await expect
    .poll(() => pool.status(), soon)
    .toMatchObject({ reason: "Conflict", message: expect.stringContaining("HorizontalPodAutoscaler hpa-fought-over scales Deployment") });
  await pool.publish(70);
  await setScale("fought-over", 0);
  await stage.kube.delete(HPAS, "default", "hpa-fought-over");
  await expect.poll(() => pool.sizes().at(-1), soon).toBe(10);
  expect(pool.sizes()).toEqual(pool.sizes().toSorted((one, other) => one - other));
});

test("a pool has its budget, and without it when it wants none", async () => {
  const pool = await stage.pool("guarded");
  const budget = () => stage.kube.get<KubeObject & { spec: object }>(BUDGETS, "default", "guarded");
  await expect.poll(budget, soon).toMatchObject({ spec: { maxUnavailable: "25%", unhealthyPodEvictionPolicy: "AlwaysAllow" } });
  await stage.kube.delete(BUDGETS, "default", "guarded");
  await expect.poll(budget, soon).toBeDefined();
  await stage.kube.patch(POOLS, "default", "guarded", { spec: { disruptionBudget: "None" } });
  await expect.poll(budget, soon).toBeUndefined();
  await pool.drop();
});

test("hundreds of queues by a pattern: those that come count, those that go do not, and one that is not meant never does", async () => {
  const autoscaling = { minReplicas: 0, maxReplicas: 50, backlogPerReplica: 10, scaleDown: { windowSeconds: 0 }, cooldownSeconds: 0 };
  const template = { spec: { containers: [{ name: "worker", image: "any" }] } };
  const queues = [{ pattern: "tenant-\\d+\\.jobs" }, { pattern: "tenant-\\d+\\.mail", weight: 0 }];
  // The API lists pages of 100, and at most of 500, to whoever asks for pages.
  const names = Array.from({ length: 600 }, (_, index) => `tenant-${index}.jobs`);
  const others = ["tenant-x.jobs", "tenant-1.mail"];
  await stage.declare([...names, ...others]);
  await stage.send([...names.slice(0, 100), ...names.slice(-50), ...others]);
  const pool = await stage.pool("tenants", { runtime: "custom", queues, template, autoscaling });
  await expect.poll(() => pool.sizes().at(-1), soon).toBe(15);
  await stage.declare(["tenant-600.jobs"]);
  await stage.send(Array.from({ length: 50 }, () => "tenant-600.jobs"));
  await expect.poll(() => pool.sizes().at(-1), soon).toBe(20);
  await stage.remove(names.slice(100));
  // What no pod stands for goes after some seconds.
  await expect.poll(() => pool.sizes().at(-1), { ...soon, timeout: 90_000 }).toBe(15);
  await expect.poll(() => pool.status(), soon).toMatchObject({ message: expect.stringContaining("backlog 150") });
});

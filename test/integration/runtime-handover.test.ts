import { afterAll, beforeAll, expect, test } from "vitest";
import { loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import { createKube } from "../../operator/adapters/kubernetes/kube.ts";
import type { KubePort, Resource } from "../../operator/adapters/ports.ts";
import { up } from "../cluster/cluster.ts";
import { startOperatorProcess } from "./operator-process.ts";

const NAMESPACES: Resource = { group: "", version: "v1", plural: "namespaces", kind: "Namespace" };
const namespace = `runtime-handover-${process.pid}`;

let kubeconfig: string;
let kube: KubePort & Disposable;
beforeAll(async () => {
  kubeconfig = (await up()).kubeconfig;
  kube = createKube(await loadAccess({ KUBECONFIG: kubeconfig }), { random: Math.random });
  await kube.apply(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
});
afterAll(async () => {
  await kube.delete(NAMESPACES, undefined, namespace);
  kube[Symbol.dispose]();
});

const start = (name: string) =>
  startOperatorProcess({
    KUBECONFIG: kubeconfig,
    WATCH_NAMESPACES: namespace,
    POD_NAMESPACE: namespace,
    POD_NAME: name,
    WORKER_IMAGE: "localhost/none:1",
    HEALTH_PORT: "0",
  });

test("when the leader is told to end, it ends well, and the other leads within 3 s", async () => {
  await using first = start("first");
  await first.said("became the leader");
  await using second = start("second");
  await second.said("started");
  const told = performance.now();
  expect(await first.end("SIGTERM")).toBe(0);
  expect(performance.now() - told).toBeLessThan(5_000);
  const { at } = await second.said("became the leader");
  expect(at - told).toBeLessThan(3_000);
  expect(first.lines.filter(({ level }) => level === "error")).toEqual([]);
  expect(await second.end("SIGTERM")).toBe(0);
});

test("an environment that is wrong ends the process with the name of what is wrong", async () => {
  await using operator = startOperatorProcess({ KUBECONFIG: kubeconfig, HEALTH_PORT: "http" });
  await expect(operator.said("started")).rejects.toThrow("the operator ended with 1");
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { startOperatorProcess } from "./operator-process.ts";
import { type Api, startApi } from "./topology-operator.ts";

const namespace = "default";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const start = (name: string) =>
  startOperatorProcess({
    KUBECONFIG: api.server.kubeconfig,
    WATCH_NAMESPACES: namespace,
    POD_NAMESPACE: namespace,
    POD_NAME: name,
    WORKER_IMAGE: "localhost/none:1",
    HEALTH_PORT: "0",
  });

test("when the leader is told to end, it ends well, and the other works within 3 s", async () => {
  await using first = start("first");
  await first.said("leading");
  await using second = start("second");
  await second.said("caches are warm");
  const told = performance.now();
  expect(await first.end("SIGTERM")).toBe(0);
  expect(performance.now() - told).toBeLessThan(5_000);
  const { at } = await second.said("leading");
  expect(at - told).toBeLessThan(3_000);
  expect(first.lines.filter(({ level }) => level === "error")).toEqual([]);
  expect(await second.end("SIGTERM")).toBe(0);
});

test("an environment that is wrong ends the process with the name of what is wrong", async () => {
  await using operator = startOperatorProcess({ KUBECONFIG: api.server.kubeconfig, HEALTH_PORT: "http" });
  await expect(operator.said("started")).rejects.toThrow("the operator ended with 1");
});

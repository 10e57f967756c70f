import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { createFakeClock } from "../../test/fakes/clock.ts";
import { type Check, startHealth } from "./health.ts";
import { createLiveness } from "./liveness.ts";
import { createMetrics } from "./metrics.ts";

async function setup(ready: readonly Check[] = [], registry = new Registry()) {
  const clock = createFakeClock();
  const liveness = createLiveness(clock);
  const health = await startHealth({ port: 0, host: "127.0.0.1", registry, stuck: liveness.stuck, ready });
  onTestFinished(() => health[Symbol.asyncDispose]());
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${health.port}${path}`);
    return [answer.status, await answer.text()] as const;
  };
  return { clock, liveness, ask, health };
}

test("it lives while every loop says so in time, and names the one that does not", async () => {
  const { clock, liveness, ask } = await setup();
  const quick = liveness.watch("quick", 1_000);
  const slow = liveness.watch("slow", 60_000);
  await clock.advance(1_000);
  expect(await ask("/healthz")).toEqual([200, "ok\n"]);
  await clock.advance(4_000);
  expect(await ask("/healthz")).toEqual([503, "quick: silent for 5 s\n"]);
  quick.beat();
  expect(await ask("/healthz")).toEqual([200, "ok\n"]);
  await clock.advance(50_000);
  quick[Symbol.dispose]();
  slow.beat();
  expect(await ask("/healthz")).toEqual([200, "ok\n"]);
});

test("it is ready when every check is, and says what keeps it from being ready", async () => {
  const states: Record<string, ReturnType<Check["state"]>> = {
    pods: { ready: true },
    queues: { ready: false, cause: "may not list queues" },
  };
  const { ask } = await setup(Object.keys(states).map((name) => ({ name, state: () => states[name] ?? { ready: false } })));
  expect(await ask("/readyz?verbose")).toEqual([503, "+ pods\n- queues: may not list queues\n"]);
  states["queues"] = { ready: true, cause: "connection lost" };
  expect(await ask("/readyz")).toEqual([200, "+ pods\n+ queues: connection lost\n"]);
});

test("metrics are Prometheus text, and every name begins with longshore_", async () => {
  const metrics = createMetrics();
  metrics.reconciled("store", "failed", 0.3);
  metrics.leading(true);
  const { ask } = await setup([], metrics.registry);
  const [status, text] = await ask("/metrics");
  expect(status).toBe(200);
  expect(text).toContain('longshore_reconciles_total{controller="store",result="failed"} 1');
  expect(text).toContain("longshore_leader 1");
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(names.filter((name) => name?.startsWith("longshore_") !== true)).toEqual([]);
});

test("anything else is not found, and stopping twice is once", async () => {
  const { ask, health } = await setup();
  expect((await ask("/"))[0]).toBe(404);
  await health[Symbol.asyncDispose]();
  await health[Symbol.asyncDispose]();
});

import { hostname } from "node:os";
import * as z from "zod";
import { loadAccess } from "./adapters/kubernetes/access.ts";
import { createKube } from "./adapters/kubernetes/kube.ts";
import { connectTopology } from "./adapters/rabbitmq/management.ts";
import { openPublishing } from "./adapters/rabbitmq/publish.ts";
import { openSensing } from "./adapters/rabbitmq/sensing.ts";
import { openRecords } from "./adapters/redis/records.ts";
import { createStore } from "./adapters/redis/store.ts";
import { operatorEnvSchema } from "./env.ts";
import { stopSignal } from "./process.ts";
import { systemClock as clock } from "./runtime/clock.ts";
import { startHealth } from "./runtime/health.ts";
import { runElection } from "./runtime/leader/leader.ts";
import { createLiveness } from "./runtime/liveness.ts";
import { createLog, errorFields } from "./runtime/log.ts";
import { createMetrics } from "./runtime/metrics.ts";
import { allOf, createCaches, readiness, warmed } from "./wiring/caches.ts";
import { createContext } from "./wiring/context.ts";
import { createLead } from "./wiring/lead.ts";
import { runSchedules } from "./wiring/schedules.ts";

async function main(): Promise<void> {
  const parsed = operatorEnvSchema.safeParse(process.env);
  if (!parsed.success) throw new Error(`the environment is not as expected:\n${z.prettifyError(parsed.error)}`);
  const env = parsed.data;
  const log = createLog(env.LOG_LEVEL);
  const stop = stopSignal(log);
  const access = await loadAccess(process.env);
  const identity = env.POD_NAME ?? `${hostname()}-${process.pid}`;
  await using stack = new AsyncDisposableStack();

  const random = Math.random;
  const shared = { clock, random, log };
  const metrics = createMetrics();
  const liveness = createLiveness(clock);
  const kube = stack.use(createKube(access, { random }));
  const caches = createCaches({ ...shared, kube, liveness, namespaces: env.WATCH_NAMESPACES });
  const health = { port: env.HEALTH_PORT, registry: metrics.registry, stuck: liveness.stuck, ready: readiness(caches) };
  const { port } = stack.use(await startHealth(health));
  log.info({ port, server: access.server.host, namespaces: env.WATCH_NAMESPACES }, "started");
  for (const cache of allOf(caches)) {
    stack.use(cache).start();
    metrics.watching(cache);
  }
  void warmed(caches, stop, log);
  const connect = {
    topology: (to: Parameters<typeof connectTopology>[0]) => connectTopology(to, { random }),
    sensing: (to: Parameters<typeof openSensing>[0]) => openSensing(to, { random }),
    store: createStore,
    publishing: (to: Parameters<typeof openPublishing>[0]) => openPublishing(to, { random }),
    records: openRecords,
  };
  const context = stack.use(createContext({ ...shared, kube, caches, connect, metrics, identity, workerImage: env.WORKER_IMAGE }));
  const election = { ...shared, kube, namespace: env.POD_NAMESPACE ?? access.namespace, name: env.LEASE_NAME, identity };
  await Promise.all([
    runElection(
      { ...election, lead: createLead(context), onChange: metrics.leading, onRound: liveness.watch("election", 60_000).beat },
      stop,
    ),
    runSchedules(context, election, stop),
  ]);
  await stack.disposeAsync();
  log.info({}, "stopped");
}

try {
  await main();
} catch (error) {
  // Before there is a log, and after it is gone.
  process.stderr.write(`${JSON.stringify({ level: "fatal", message: "cannot go on", ...errorFields(error) })}\n`);
  process.exit(1);
}

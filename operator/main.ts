import { hostname } from "node:os";
import * as z from "zod";
import { loadAccess } from "./adapters/kubernetes/access.ts";
import { createKube } from "./adapters/kubernetes/kube.ts";
import { createCaches } from "./caches.ts";
import { operatorEnvSchema } from "./env.ts";
import { createLead } from "./leading.ts";
import { stopSignal } from "./process.ts";
import { systemClock as clock } from "./runtime/clock.ts";
import { startHealth } from "./runtime/health.ts";
import { runElection } from "./runtime/leader.ts";
import { createLiveness } from "./runtime/liveness.ts";
import { createLog, errorFields } from "./runtime/log.ts";
import { createMetrics } from "./runtime/metrics.ts";

async function main(): Promise<void> {
  const parsed = operatorEnvSchema.safeParse(process.env);
  if (!parsed.success) throw new Error(`the environment is not as expected:\n${z.prettifyError(parsed.error)}`);
  const env = parsed.data;
  const log = createLog(env.LOG_LEVEL);
  const stop = stopSignal(log);
  const access = await loadAccess(process.env);
  await using stack = new AsyncDisposableStack();

  const random = Math.random;
  const shared = { clock, random, log };
  const metrics = createMetrics();
  const liveness = createLiveness(clock);
  const kube = stack.use(createKube(access, { random }));
  const caches = createCaches({ ...shared, kube, namespaces: env.WATCH_NAMESPACES });
  const watched = Object.values(caches);
  const ready = watched.map((cache) => ({
    name: cache.resource.plural,
    state: () => {
      const { synced, cause } = cache.state();
      return cause === undefined ? { ready: synced } : { ready: synced, cause };
    },
  }));
  const health = stack.use(await startHealth({ port: env.HEALTH_PORT, registry: metrics.registry, stuck: liveness.stuck, ready }));
  log.info({ port: health.port, server: access.server.host, namespaces: env.WATCH_NAMESPACES }, "started");
  for (const cache of watched) {
    stack.use(cache).start();
    metrics.watching(cache);
  }
  await runElection(
    {
      ...shared,
      kube,
      namespace: env.POD_NAMESPACE ?? access.namespace,
      name: env.LEASE_NAME,
      identity: env.POD_NAME ?? `${hostname()}-${process.pid}`,
      lead: createLead({ ...shared, kube, caches, metrics, workerImage: env.WORKER_IMAGE }),
      onChange: metrics.leading,
    },
    stop,
  );
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

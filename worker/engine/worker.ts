import { openChords } from "../chords/chords.ts";
import type { WorkerEnv } from "../contract/env.ts";
import type { Heartbeat } from "../contract/heartbeat.ts";
import { isRpc, nodeName } from "../contract/names.ts";
import { openGlobalRates } from "../leases/global-rates.ts";
import { openKeeper } from "../leases/keeper.ts";
import { LEASE_TIMES, openLeases } from "../leases/leases.ts";
import type { Pool } from "../pools/pool.ts";
import type { BrokerPort, Clock, StorePort } from "../ports.ts";
import type { Task, TaskLog } from "../tasks/define-task.ts";
import { applyAction } from "./actions.ts";
import { type AttemptDeps, attempt } from "./attempt.ts";
import { confOf } from "./conf.ts";
import { openIntake } from "./consumer.ts";
import { startControl } from "./control.ts";
import { drain } from "./drain.ts";
import { startEvents } from "./events.ts";
import { openExecutor } from "./executor.ts";
import { startHeart } from "./heartbeat.ts";
import { serveHttp } from "./http.ts";
import { newLamport } from "./lamport.ts";
import { openMetrics } from "./metrics.ts";
import { observe } from "./observe.ts";
import { leaseOptions, resultRows } from "./result-rows.ts";
import { newRevoked } from "./revoked.ts";
import { newScheduled } from "./scheduled.ts";
import { brokerInfo, heldTasks, SOFTWARE, vitals } from "./snapshot.ts";
import { newTally } from "./tally.ts";
import { type Limits, openTaskSettings } from "./task-settings.ts";

export interface WorkerDeps {
  readonly env: WorkerEnv;
  readonly broker: BrokerPort;
  readonly store: StorePort;
  readonly pool: Pool;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Random per process. */
  readonly boot: string;
  readonly log: AttemptDeps["log"] & TaskLog;
  /** What is wrong with the store, for those who ask the worker; undefined when nothing is. */
  readonly storeWarning?: () => string | undefined;
  /** Remote control asked the process to stop. */
  readonly onShutdown: () => void;
  readonly crashPoint?: (step: string) => void;
  readonly leaseTimes?: typeof LEASE_TIMES;
}

export interface Worker extends AsyncDisposable {
  /** Resolves once every queue is consumed for the first time. */
  readonly consuming: Promise<void>;
  readonly httpPort: number;
  /** Stops for good within the grace period; a cold stop gives running tasks none. */
  drain(how?: { readonly cold: boolean }): Promise<void>;
}

const defaultLimits = ({ LONGSHORE_SOFT_TIME_LIMIT: soft, LONGSHORE_TIME_LIMIT: hard }: WorkerEnv): Limits => ({
  ...(soft === undefined ? {} : { soft }),
  ...(hard === undefined ? {} : { hard }),
});

const cemeteryOf = ({ LONGSHORE_DEAD_LETTER_EXCHANGE: exchange, LONGSHORE_DEAD_LETTER_ROUTING_KEY: routingKey }: WorkerEnv) =>
  exchange === undefined ? {} : { cemetery: { exchange, ...(routingKey === undefined ? {} : { routingKey }) } };

/** Longer without broker and store than this, and a restart may help, ms. */
const DEAD_MS = 120_000;

/** Puts the engine together over its ports and starts it. Never touches a signal or the environment. Disposal closes what it opened, not the ports. */
export async function startWorker(deps: WorkerDeps): Promise<Worker> {
  const { env, broker, store, clock, random, log, tasks } = deps;
  const times = deps.leaseTimes ?? LEASE_TIMES;
  const hostname = env.LONGSHORE_NODE_NAME ?? nodeName(env.POD_NAME);
  const startedAt = clock.now();
  const tally = newTally();
  const lamport = newLamport();
  const revoked = newRevoked();
  const scheduled = newScheduled(clock);
  const settings = openTaskSettings(tasks, defaultLimits(env));
  const leases = openLeases(store, leaseOptions(env, times));
  const keeper = openKeeper(leases, times.leaseMs, clock);
  const storeWarning = deps.storeWarning ?? (() => undefined);
  const metrics = openMetrics(
    tally,
    () => executor.slots,
    (name) => tasks.has(name),
    () => storeWarning() !== undefined,
  );
  const events = startEvents({ broker, clock, lamport, hostname, pid: process.pid, vitals: () => vitals(tally) });
  events.enabled = env.LONGSHORE_EVENTS;
  const observer = observe({ tally, metrics, events, log, clock });
  let stopping = false;
  let started = false;
  let serial = 0;

  const attemptDeps: AttemptDeps = {
    pool: deps.pool,
    broker,
    leases,
    chords: openChords(store, clock, env.CELERY_RESULT_EXPIRES),
    rpc: isRpc(env.CELERY_RESULT_BACKEND),
    keeper,
    acks: { late: env.CELERY_TASK_ACKS_LATE, onFailureOrTimeout: env.CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT },
    globalRates: openGlobalRates(store),
    deliveryLimit: env.LONGSHORE_DELIVERY_LIMIT,
    ...cemeteryOf(env),
    hostname,
    rows: resultRows(env, hostname, process.pid),
    tasks,
    clock,
    random,
    log,
    observer,
    scheduled,
    settings,
    isRevoked: (task) => revoked.has(task, clock.now()),
    nextOwner: () => `${deps.boot}/${(serial += 1)}`,
    ...(deps.crashPoint === undefined ? {} : { crashPoint: deps.crashPoint }),
  };
  const executor = openExecutor(env.LONGSHORE_WORKER_POOL === "solo" ? 1 : env.LONGSHORE_CONCURRENCY, {
    attempt: (running) => attempt(running, attemptDeps),
    tally,
    clock,
    onIdle: () => heart.beatSoon(),
    onTrouble: (error) => log.error({ err: error }, "a delivery could not be settled and goes back to the queue"),
  });
  /** Messages that are taken at a time, those that run included. */
  const held = (): number => executor.slots * env.LONGSHORE_PREFETCH_MULTIPLIER;
  const intake = openIntake({
    broker,
    clock,
    slots: held,
    onDelivery: (delivery) => executor.accept(delivery),
    onChange: () => heart.beatSoon(),
    onTrouble: (queue, error) => log.warn({ queue, reason: error.message }, "cannot consume yet"),
  });
  const state = (): Heartbeat["state"] => {
    if (stopping) return "stopping";
    if (intake.wanted.length === 0) return started ? "draining" : "starting";
    return intake.consuming.length > 0 ? "running" : "starting";
  };
  const heart = startHeart({
    store,
    clock,
    pool: { namespace: env.LONGSHORE_NAMESPACE, name: env.LONGSHORE_POOL },
    pod: env.POD_NAME,
    boot: deps.boot,
    tally,
    slots: () => executor.slots,
    state,
    consuming: () => intake.consuming,
  });
  let wellAt = clock.now();
  const http = await serveHttp(env.LONGSHORE_HTTP_PORT, {
    alive: () => {
      if (broker.connected && store.connected) wellAt = clock.now();
      return clock.now() - wellAt < DEAD_MS;
    },
    ready: () => broker.connected && started,
    warning: storeWarning,
    metrics: () => metrics.text(),
  });
  const control = startControl({
    broker,
    hostname,
    lamport,
    snapshot: () => ({
      hostname,
      pid: process.pid,
      clock: lamport.value,
      uptimeSeconds: (clock.now() - startedAt) / 1_000,
      ...heldTasks(executor),
      scheduled: scheduled.tasks,
      revoked: revoked.ids,
      tasks: [...tasks.keys()].map((name) => {
        const rateLimit = settings.rateText(name);
        return rateLimit === undefined ? { name } : { name, rateLimit };
      }),
      // Under Celery's command line each queue has an exchange of its name, as there; else it is reached through the default one.
      queues: intake.wanted.map((name) => ({
        name,
        routingKey: name,
        exchange: { name: env.LONGSHORE_CREATE_QUEUES === "no" ? "" : name, type: "direct" },
      })),
      totals: Object.fromEntries(tally.total),
      eventsEnabled: events.enabled,
      prefetch: held(),
      pool: { implementation: deps.pool.name, concurrency: executor.slots, processes: deps.pool.pids },
      broker: brokerInfo(env.CELERY_BROKER_URL),
      storeWarning: storeWarning(),
      usage: { ...process.resourceUsage() },
      conf: confOf(env, executor.slots),
      software: `${SOFTWARE.name} ${SOFTWARE.version}`,
    }),
    act: (action) =>
      applyAction(action, { intake, executor, events, revoked, scheduled, leases, settings, clock, onShutdown: deps.onShutdown, log }),
    onTrouble: (error) => log.error({ err: error }, "remote control failed"),
  });
  control.catch((error: unknown) => log.error({ err: error }, "no remote control: the broker refuses it"));
  const consuming = Promise.all(env.LONGSHORE_QUEUES.map((queue) => intake.add(queue))).then(() => {
    started = true;
    heart.beatSoon();
  });

  return {
    consuming,
    httpPort: http.port,
    async drain({ cold } = { cold: false }) {
      stopping = true;
      heart.beatSoon();
      const how = await drain(intake, executor, cold ? 0 : env.LONGSHORE_DRAIN_SECONDS * 1_000, clock);
      log.info({ how }, "drained");
    },
    async [Symbol.asyncDispose]() {
      await events[Symbol.asyncDispose]();
      keeper[Symbol.dispose]();
      await heart[Symbol.asyncDispose]();
      await http[Symbol.asyncDispose]();
      await deps.pool[Symbol.asyncDispose]();
    },
  };
}

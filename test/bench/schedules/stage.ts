import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { connect } from "amqplib";
import { Redis } from "ioredis";
import { startBroker, startRedis } from "../../cluster/cluster.ts";
import { home } from "../../cluster/home.ts";
import { type ApiServer, startApiServer } from "../../integration/api-server.ts";
import { openScheduleStage, type ScheduleStage } from "../../integration/schedule-stage.ts";
import { imageFlags } from "../operator-processes.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Where the workers take from. The bench's ledger has a copy of each message. */
const QUEUE = "ticks";
export const EXCHANGE = "ticks";

export interface BenchStage extends AsyncDisposable {
  readonly api: ApiServer;
  readonly stage: ScheduleStage;
  readonly uris: { readonly broker: string; readonly store: string };
  readonly redis: Redis;
  /** What Node runs to be an operator: the bundle, with the flags of the image. */
  readonly main: readonly string[];
  /** Real workers with the task `ledger.tick`. */
  startWorkers(count: number): void;
  /** Messages that no worker has taken yet. */
  waiting(): Promise<number>;
}

/** A real API server, RabbitMQ and Redis of the bench's own. */
export async function setStage(): Promise<BenchStage> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await startApiServer());
  for (const args of [
    ["apply", "--server-side", "-f", join(ROOT, "crds")],
    ["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"],
  ]) {
    const { code, error } = await api.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${error}`);
  }
  const broker = stack.use(await startBroker({ version: "4.0", name: "bench-schedules-rabbitmq" }));
  const store = stack.use(await startRedis({ name: "bench-schedules-redis" }));
  const uris = { broker: broker.uri, store: store.uri };
  const model = await connect(uris.broker);
  stack.defer(() => model.close());
  const channel = await model.createChannel();
  await channel.assertExchange(EXCHANGE, "fanout", { durable: true });
  await channel.assertQueue(QUEUE, { durable: true });
  await channel.bindQueue(QUEUE, EXCHANGE, "");
  const redis = new Redis(uris.store);
  stack.defer(() => redis.disconnect());
  await promisify(execFile)(process.execPath, ["operator/codegen/bundle.ts"], { cwd: ROOT });
  // A copy: another build may replace the original meanwhile.
  const folder = await mkdtemp(join(home().run, "bench-schedules-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await cp(join(ROOT, "dist/operator"), folder, { recursive: true });
  const stage = stack.use(await openScheduleStage(api.kubeconfig, uris));
  const owned = stack.move();
  return {
    api,
    stage,
    uris,
    redis,
    main: [...imageFlags(), join(folder, "main.mjs")],
    startWorkers(count) {
      for (let index = 0; index < count; index += 1) {
        const env = {
          PATH: process.env["PATH"],
          LONGSHORE_QUEUES: QUEUE,
          LONGSHORE_CONCURRENCY: "50",
          LONGSHORE_TASKS: join(import.meta.dirname, "tasks"),
          LONGSHORE_HTTP_PORT: "0",
          LONGSHORE_LOG_LEVEL: "error",
          POD_NAME: `worker-${index}`,
          CELERY_BROKER_URL: uris.broker,
          CELERY_RESULT_BACKEND: uris.store,
          LEDGER_URL: uris.store,
        };
        const child = spawn(process.execPath, [join(ROOT, "worker/main.ts")], { env, stdio: ["ignore", "ignore", "inherit"] });
        const ended = once(child, "close");
        owned.defer(async () => {
          child.kill("SIGKILL");
          await ended;
        });
      }
    },
    waiting: async () => (await channel.checkQueue(QUEUE)).messageCount,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

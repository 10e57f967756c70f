import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import amqp from "amqplib";
import { loadAccess } from "../../../operator/adapters/kubernetes/access.ts";
import { createKube } from "../../../operator/adapters/kubernetes/kube.ts";
import type { KubePort } from "../../../operator/adapters/ports.ts";
import { startBroker, startRedis } from "../../cluster/cluster.ts";
import { home } from "../../cluster/home.ts";
import { type ApiServer, startApiServer } from "../../integration/api-server.ts";
import { type OperatorProcess, startOperatorProcess } from "../../integration/operator-process.ts";
import { imageFlags } from "../operator-processes.ts";
import { asPod } from "./as-pod.ts";
import { type CountingAmqp, countDeclares } from "./counting-amqp.ts";
import { type CountingHttp, countHttp } from "./counting-http.ts";

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, "../../..");

/** Everything around the operator: a real API server without controllers, a RabbitMQ and a Redis of its own, and counters in front of the broker. */
export interface Stage extends AsyncDisposable {
  readonly server: ApiServer;
  readonly kube: KubePort;
  readonly http: CountingHttp;
  readonly declares: CountingAmqp;
  /** Straight to the broker, past the counters. */
  readonly channel: amqp.ConfirmChannel;
  readonly uris: { readonly broker: string; readonly management: string; readonly store: string };
  /** The bundle, with the flags of the image and a pod's login, as a process of its own. */
  startOperator(): Promise<OperatorProcess>;
}

/** @param name of the servers: two stages side by side need two */
export async function setStage(name = "bench-pools"): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startApiServer());
  for (const args of [
    ["apply", "--server-side", "-f", join(ROOT, "crds")],
    ["wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"],
  ]) {
    const { code, error } = await server.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${error}`);
  }
  const kube = stack.use(createKube(await loadAccess({ KUBECONFIG: server.kubeconfig }), { random: Math.random, deadlineMs: 60_000 }));
  const broker = stack.use(await startBroker({ version: "4.0", name: `${name}-rabbitmq` }));
  const store = stack.use(await startRedis({ name: `${name}-redis` }));
  const http = stack.use(await countHttp(broker.managementUri));
  const direct = new URL(broker.uri);
  const declares = stack.use(await countDeclares(direct.hostname, Number(direct.port)));
  const model = await amqp.connect(broker.uri);
  stack.defer(() => model.close());
  const channel = await model.createConfirmChannel();
  const through = (scheme: string, port: number) => `${scheme}://${direct.username}:${direct.password}@127.0.0.1:${port}`;
  // A copy: another build may replace the original meanwhile.
  await execute(process.execPath, ["operator/codegen/bundle.ts"], { cwd: ROOT });
  const folder = await mkdtemp(join(home().run, `${name}-`));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await cp(join(ROOT, "dist/operator"), folder, { recursive: true });
  const pod = await asPod(server.kubeconfig, join(folder, "account"));
  const owned = stack.move();
  return {
    server,
    kube,
    http,
    declares,
    channel,
    uris: { broker: `${through("amqp", declares.port)}/`, management: through("http", http.port), store: store.uri },
    async startOperator() {
      const env = { ...pod.env, WORKER_IMAGE: "longshore-worker:bench", HEALTH_PORT: "0", HOME: home().run };
      const argv = [...imageFlags(), ...pod.flags, join(folder, "main.mjs")];
      const operator = owned.use(startOperatorProcess(env, argv));
      await operator.said("leading");
      return operator;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

import { setTimeout as delay } from "node:timers/promises";
import type { BrokerObject, TopologyPort } from "../../operator/adapters/ports.ts";
import { connectTopology } from "../../operator/adapters/rabbitmq/management.ts";
import { bindingKind } from "../../operator/kinds/binding/schema.ts";
import { brokerEndpoint } from "../../operator/kinds/broker/endpoint.ts";
import { brokerKind } from "../../operator/kinds/broker/schema.ts";
import { queueKind } from "../../operator/kinds/queue/schema.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import { inParallel } from "../../operator/topology/apply.ts";
import { manifests } from "../integration/topology-objects.ts";
import { residentMb } from "./operator-processes.ts";
import { type Stage, setStage } from "./pools/stage.ts";
import { quantile, type Report } from "./report.ts";
import { type ReadyWatch, watchReady } from "./topology/ready-watch.ts";

const NAMESPACE = "default";
const [QUEUES, BINDINGS, BROKERS] = [queueKind, bindingKind, brokerKind].map(resourceOf) as [
  ReturnType<typeof resourceOf>,
  ReturnType<typeof resourceOf>,
  ReturnType<typeof resourceOf>,
];
/** From so many trials on, 10,000 queues are made, too: that takes minutes. */
const LARGE_FROM = 200;
const STEADY_MS = 30_000;
const make = manifests(NAMESPACE);

const classic = (name: string): BrokerObject => ({
  type: "queue",
  name,
  kind: "classic",
  durable: true,
  autoDelete: false,
  exclusive: false,
  arguments: { "x-queue-type": "classic" },
});
const bound = (name: string): BrokerObject => ({
  type: "binding",
  source: "amq.direct",
  destinationType: "queue",
  destination: name,
  routingKey: name,
  arguments: {},
});

/** Times at which the broker said that something happened to a queue. */
async function watchBroker(port: TopologyPort): Promise<(name: string) => Promise<number>> {
  const waiting = new Map<string, (at: number) => void>();
  const subscription = await port.changes((change) => {
    if (typeof change !== "object") return;
    waiting.get(change.name)?.(performance.now());
    waiting.delete(change.name);
  });
  if (subscription === "unsupported") throw new Error("the broker of the bench has the event exchange");
  return (name) => new Promise((resolve) => waiting.set(name, resolve));
}

const create = ({ kube }: Stage, kind: typeof QUEUES, object: object) => kube.create(kind, object as Parameters<typeof kube.create>[1]);

async function singles(stage: Stage, ready: ReadyWatch, told: (name: string) => Promise<number>, trials: number) {
  const [declared, readied]: [number[], number[]] = [[], []];
  for (let n = 0; n < trials; n++) {
    const name = `one-${n}`;
    const onBroker = told(name);
    await create(stage, QUEUES, make.queue(name, { type: "classic" }));
    const accepted = performance.now();
    declared.push((await onBroker) - accepted);
    readied.push((await ready.ready(name)) - accepted);
  }
  return { declared, readied };
}

async function drift(port: TopologyPort, told: (name: string) => Promise<number>, trials: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < trials; n++) {
    const gone = told(`one-${n}`);
    await port.remove(classic(`one-${n}`));
    const since = await gone;
    times.push((await told(`one-${n}`)) - since);
  }
  return times;
}

/** Objects that are there before the operator: how long from its start until all are Ready. */
async function cold(stage: Stage, ready: readonly ReadyWatch[], prefix: string, queues: number, bindings: number) {
  const numbers = Array.from({ length: queues }, (_, n) => n);
  await inParallel(numbers, 16, async (n) => {
    await create(stage, QUEUES, make.queue(`${prefix}-${n}`, { type: "classic" }));
    if (n >= bindings) return;
    const spec = { source: "amq.direct", destination: `${prefix}-${n}`, routingKey: `${prefix}-${n}` };
    await create(stage, BINDINGS, make.any("Binding", `${prefix}-${n}`, spec));
  });
  const started = performance.now();
  const operator = await stage.startOperator();
  const [ofQueues, ofBindings] = ready;
  const last = await Promise.all([ofQueues?.count(`${prefix}-`, queues), ofBindings?.count(`${prefix}-`, bindings)]);
  return { operator, seconds: (Math.max(...last.map((at) => at ?? 0)) - started) / 1_000 };
}

/** One Queue from the API to the broker and back, cold starts over many objects, a restart over what is in sync, repairs, memory. */
export async function topology({ trials = LARGE_FROM }: { trials: number | undefined }): Promise<Report> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await setStage("bench-topology"));
  const { kube, http, uris } = stage;
  const endpoint = brokerEndpoint(uris.broker, uris.management);
  if (!("host" in endpoint)) throw new Error(endpoint.message);
  const port = stack.use(connectTopology(endpoint, { random: Math.random }));
  const told = await watchBroker(port);
  const ready = stack.use(await watchReady(kube, QUEUES, NAMESPACE));
  const bindings = stack.use(await watchReady(kube, BINDINGS, NAMESPACE));
  const brokers = stack.use(await watchReady(kube, BROKERS, NAMESPACE));
  await kube.create({ group: "", version: "v1", plural: "secrets", kind: "Secret" }, make.secret(uris.broker, uris.management));
  await create(stage, BROKERS, make.broker());
  const first = await stage.startOperator();
  await brokers.ready("rabbitmq");
  const { declared, readied } = await singles(stage, ready, told, trials);
  const repaired = await drift(port, told, Math.min(trials, 50));
  await first.end("SIGTERM");

  const small = await cold(stage, [ready, bindings], "cold", 1_000, 1_000);
  const rssSmall = residentMb(small.operator.pid);
  const floor = performance.now();
  const names = Array.from({ length: 1_000 }, (_, n) => `floor-${n}`);
  await port.bulk([...names.map(classic), ...names.map(bound)]);
  const bulk = (performance.now() - floor) / 1_000;
  await delay(2_000);
  const before = http.requests();
  await delay(STEADY_MS);
  const steady = ((http.requests() - before) * 5_000) / STEADY_MS;
  await small.operator.end("SIGTERM");
  const large = trials < LARGE_FROM ? undefined : await cold(stage, [ready], "large", 10_000, 0);
  const rssLarge = large === undefined ? undefined : residentMb(large.operator.pid);
  await large?.operator.end("SIGTERM");

  // The marker is Ready only after the operator has looked at everything.
  await create(stage, QUEUES, make.queue("marker", { type: "classic" }));
  const asked = http.requests();
  const restarted = await stage.startOperator();
  const led = performance.now();
  const verified = ((await ready.ready("marker")) - led) / 1_000;
  const requests = http.requests() - asked;
  await restarted.end("SIGTERM");
  return {
    bench: "topology",
    figures: {
      declare_p50_ms: quantile(declared, 0.5),
      declare_p99_ms: quantile(declared, 0.99),
      ready_p50_ms: quantile(readied, 0.5),
      ready_p99_ms: quantile(readied, 0.99),
      drift_event_p99_ms: quantile(repaired, 0.99),
      cold_2000_ready_s: small.seconds,
      ...(large === undefined ? {} : { cold_10000_ready_s: large.seconds }),
      restart_verify_s: verified,
      restart_requests: requests,
      steady_requests_per_5s: steady,
      rss_1000_mb: rssSmall,
      ...(rssLarge === undefined ? {} : { rss_10000_mb: rssLarge }),
    },
    peers: {
      "bulk POST /api/definitions, 2,000 objects": { seconds: bulk },
      "messaging topology operator, measured on the same parts": { ready_ms: "18-20", cold_2000_ready_s: "40-43" },
    },
    settings: { trials, broker: "RabbitMQ 4.0", objects_at_restart: trials + 2_000 + (large === undefined ? 0 : 10_000) },
    series: { declare_ms: declared, ready_ms: readied },
  };
}

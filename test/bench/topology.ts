import { setTimeout as delay } from "node:timers/promises";
import type { BrokerObject } from "../../operator/adapters/ports.ts";
import { checkTopologyModel } from "../fakes/topology-model.ts";
import { classicQueue } from "../integration/topology-objects.ts";
import { residentMb } from "./operator-processes.ts";
import { quantile, type Report } from "./report.ts";
import { coldStart, restart } from "./topology/cold.ts";
import { driftByEvents, driftByPoll } from "./topology/drift.ts";
import { type Lab, setLab } from "./topology/lab.ts";

const STEADY_MS = 30_000;
const SMALL = 1_000;
type Figures = Record<string, number>;

/** Sizes from the environment, so that the bench can be run in pieces; the figures carry the size that was run. */
const size = (name: string, otherwise: number): number => Number(process.env[`TOPOLOGY_${name}`] ?? otherwise);

const bound = (name: string): BrokerObject => ({
  type: "binding",
  source: "amq.direct",
  destinationType: "queue",
  destination: name,
  routingKey: name,
  arguments: {},
});

async function singles({ broker, queues, createQueue }: Lab, trials: number) {
  const [declared, readied]: [number[], number[]] = [[], []];
  for (let n = 0; n < trials; n++) {
    const name = `one-${n}`;
    const onBroker = broker.told(name);
    await createQueue(name);
    const accepted = performance.now();
    declared.push((await onBroker) - accepted);
    readied.push((await queues.ready(name)) - accepted);
  }
  return { declared, readied };
}

/** What an operator asks of the broker while nothing happens. */
async function steadyRequests({ stage: { http } }: Lab): Promise<number> {
  await delay(2_000);
  const before = http.requests();
  await delay(STEADY_MS);
  return ((http.requests() - before) * 5_000) / STEADY_MS;
}

async function bulkSeconds({ port }: Lab, count: number): Promise<number> {
  const names = Array.from({ length: count }, (_, n) => `floor-${n}`);
  const started = performance.now();
  await port.bulk([...names.map((name) => classicQueue(name)), ...names.map(bound)]);
  return (performance.now() - started) / 1_000;
}

/** 1,000 queues with as many bindings, then what that costs at rest. */
async function small(lab: Lab): Promise<Figures> {
  const { operator, readySeconds } = await coldStart(lab, "cold", SMALL, SMALL, false);
  const rss = residentMb(operator.pid);
  const steady = await steadyRequests(lab);
  await operator.end("SIGTERM");
  return { [`cold_${2 * SMALL}_ready_s`]: readySeconds, [`rss_${SMALL}_mb`]: rss, steady_requests_per_5s: steady };
}

async function large(lab: Lab, count: number): Promise<Figures> {
  const { operator, declaredSeconds, readySeconds, meanwhileMs } = await coldStart(lab, "large", count, 0, true);
  const rss = residentMb(operator.pid);
  await operator.end("SIGTERM");
  return {
    [`cold_${count}_declared_s`]: declaredSeconds,
    [`cold_${count}_ready_s`]: readySeconds,
    new_during_cold_p99_ms: quantile(meanwhileMs, 0.99),
    new_during_cold: meanwhileMs.length,
    [`rss_${count}_mb`]: rss,
  };
}

/**
 * One Queue from the API to the broker and back, repairs with and without events, cold starts over many objects, a restart over what is in sync,
 * memory, and random sequences of edits. TOPOLOGY_LARGE, TOPOLOGY_MODEL and TOPOLOGY_POLLED are sizes (10,000, 10,000 and 20); 0 leaves one out.
 */
export async function topology({ trials = 200 }: { trials: number | undefined }): Promise<Report> {
  const [many, sequences, polled] = [size("LARGE", 10_000), size("MODEL", 10_000), size("POLLED", 20)];
  const model = sequences === 0 ? undefined : await checkTopologyModel(sequences);
  await using lab = await setLab();
  const first = await lab.stage.startOperator();
  await lab.brokers.ready("rabbitmq");
  const { declared, readied } = await singles(lab, trials);
  const repaired = await driftByEvents(lab, Math.min(trials, 100));
  await first.end("SIGTERM");
  const ofSmall = await small(lab);
  const bulk = await bulkSeconds(lab, SMALL);
  const ofLarge = many === 0 ? {} : await large(lab, many);
  const again = await restart(lab, "marker");
  const byPoll = polled === 0 ? undefined : await driftByPoll(lab, polled, 20_000);
  return {
    bench: "topology",
    figures: {
      declare_p50_ms: quantile(declared, 0.5),
      declare_p99_ms: quantile(declared, 0.99),
      ready_p50_ms: quantile(readied, 0.5),
      ready_p99_ms: quantile(readied, 0.99),
      drift_event_p99_ms: quantile(repaired, 0.99),
      ...(byPoll === undefined ? {} : { drift_poll_p99_ms: quantile(byPoll, 0.99) }),
      ...ofSmall,
      ...ofLarge,
      restart_verify_s: again.seconds,
      restart_requests: again.requests,
      restart_writes: again.writes,
      ...(model === undefined ? {} : { model_sequences: model.sequences, model_failures: model.failure === undefined ? 0 : 1 }),
    },
    peers: {
      "bulk POST /api/definitions, 2,000 objects": { seconds: bulk },
      "messaging topology operator, measured on the same parts": { ready_ms: "18-20", cold_2000_ready_s: "40-43" },
    },
    settings: { trials, broker: "RabbitMQ 4.0", objects_at_restart: trials + 2 * SMALL + many },
    series: { declare_ms: declared, ready_ms: readied },
  };
}

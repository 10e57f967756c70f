import amqp from "amqplib";
import { up } from "../cluster/cluster.ts";
import { buildImages } from "../product/images.ts";
import { kubectl } from "../product/kubectl.ts";
import { apply, prepareNamespace, removeNamespace } from "../product/namespace.ts";
import { installOperator } from "../product/operator.ts";
import { objects, poolNames, SERIES, type Series } from "./reaction/series.ts";
import { runTrials, type Trial } from "./reaction/trials.ts";
import { watchScales } from "./reaction/watch-scales.ts";
import { quantile, type Report } from "./report.ts";

const NAMESPACE = "bench-reaction";

/** The pools of a series take turns, each at its own phase: the way back to the first size takes each of them 15 s and more, and no trial waits for it. */
async function measure(
  connection: amqp.ChannelModel,
  series: Series,
  trials: number,
  watches: ReturnType<typeof watchScales>,
): Promise<readonly Trial[]> {
  let left = Math.max(1, Math.round(trials * series.share));
  const takeOne = (): boolean => {
    left -= 1;
    return left >= 0;
  };
  const done = await Promise.all(poolNames(series).map((name) => runTrials(connection, name, series, watches.of(name), takeOne)));
  const all = done.flat();
  process.stderr.write(`${series.name}: ${all.length} trials\n`);
  return all;
}

/**
 * A queue jumps from 0 to 500 messages (5,000 for a hundred replicas) at a random moment; how long until the Deployment's `spec.replicas` has
 * its final value, and in how many patches. The clock starts when the broker has confirmed the last message and stops when a watcher sees the
 * new value.
 */
export async function reaction({ trials = 200 }: { trials: number | undefined }): Promise<Report> {
  const cluster = await up();
  await installOperator(cluster, await buildImages(cluster));
  await prepareNamespace(cluster, NAMESPACE);
  const connection = await amqp.connect(cluster.broker.uri);
  const began = performance.now();
  try {
    await using watches = watchScales(cluster, NAMESPACE);
    await apply(cluster, NAMESPACE, ["-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects() }));
    await kubectl(cluster, ["--namespace", NAMESPACE, "wait", "--for=condition=Ready", "queues.longshore.dev", "--all", "--timeout=60s"]);
    const measured = await Promise.all(
      SERIES.map(async (series) => ({ series, trials: await measure(connection, series, trials, watches) })),
    );
    return {
      bench: "reaction",
      figures: {
        ...Object.fromEntries(measured.flatMap(({ series, trials: of }) => figuresOf(series.name, of))),
        patches_max: Math.max(...measured.flatMap(({ trials: of }) => of.map(({ patches }) => patches))),
      },
      peers: {
        "KEDA 2.21 + HPA, defaults, published with the issue, not measured in this run": {
          first_replica_s: [6, 29],
          ten_replicas_s: [37, 59],
        },
      },
      settings: {
        series: SERIES.map(({ name, from, to, messages, pools }, at) => ({
          name,
          from,
          to,
          messages,
          pools,
          trials: measured[at]?.trials.length,
        })),
        seconds: Math.round((performance.now() - began) / 1_000),
        broker: `RabbitMQ ${cluster.broker.version}, quorum queues`,
        operator: "installed by the chart, 2 replicas",
      },
      series: Object.fromEntries(measured.map(({ series, trials: of }) => [`${series.name}_ms`, of.map(({ ms }) => ms)])),
    };
  } finally {
    await connection.close();
    await removeNamespace(cluster, NAMESPACE);
  }
}

const figuresOf = (name: string, trials: readonly Trial[]): readonly (readonly [string, number])[] => {
  const times = trials.map(({ ms }) => ms);
  const fromFirst = trials.map(({ fromFirstMs }) => fromFirstMs);
  return [
    [`${name}_p50_ms`, quantile(times, 0.5)],
    [`${name}_p99_ms`, quantile(times, 0.99)],
    [`${name}_max_ms`, Math.max(...times)],
    [`${name}_first_message_p99_ms`, quantile(fromFirst, 0.99)],
    [`${name}_patches_max`, Math.max(...trials.map(({ patches }) => patches))],
    [`${name}_more_than_one_patch`, trials.filter(({ patches }) => patches > 1).length],
  ];
};

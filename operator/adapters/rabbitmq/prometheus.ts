import type { QueueTotals } from "../ports.ts";

/** One line of the text format: `name{label="value",…} number`. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** The samples of a page in Prometheus' text format; comments and what cannot be read are left out. Pure. */
export function parseSamples(text: string): readonly Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", number] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)/.exec(line) ?? [];
    const value = Number(number);
    return name === undefined || Number.isNaN(value) ? [] : [{ name, labels: labelsOf(labels), value }];
  });
}

/** In a value, a backslash, a quote and a line feed are escaped by a backslash. */
function labelsOf(text: string): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels.set(
      name,
      value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped)),
    );
  }
  return labels;
}

/** Families of `/metrics/detailed`: counts of every queue of the node, and how far the slowest consumer of a stream is behind. */
export const TOTALS_PATH = "/metrics/detailed?family=queue_coarse_metrics&family=stream_consumer_metrics";
export const ALARMS_PATH = "/metrics";

const READY = "rabbitmq_detailed_queue_messages_ready";
const UNACKED = "rabbitmq_detailed_queue_messages_unacked";
const LAG = "rabbitmq_detailed_stream_consumer_max_offset_lag";

/**
 * The totals of a vhost's queues. The type is not among the metrics: `other`. A node tells of the queues whose leaders it holds; those of other
 * nodes are absent, which is not 0. Pure.
 */
export function totalsFrom(samples: readonly Sample[], vhost: string): ReadonlyMap<string, QueueTotals> {
  const totals = new Map<string, QueueTotals>();
  for (const { name, labels, value } of samples) {
    const queue = labels.get("queue");
    if (queue === undefined || labels.get("vhost") !== vhost) continue;
    const known = totals.get(queue) ?? { ready: 0, unacked: 0, type: "other" };
    if (name === READY) totals.set(queue, { ...known, ready: value });
    if (name === UNACKED) totals.set(queue, { ...known, unacked: value });
    if (name === LAG) totals.set(queue, { ...known, type: "stream", lag: value });
  }
  return totals;
}

/** Alarms that block publishers, by the node that answers. Pure. */
export function alarmsFrom(samples: readonly Sample[]): readonly string[] {
  const on = (name: string): boolean => samples.some((sample) => sample.name === name && sample.value > 0);
  return [
    ...(on("rabbitmq_alarms_memory_used_watermark") ? ["memory alarm"] : []),
    ...(on("rabbitmq_alarms_free_disk_space_watermark") ? ["disk alarm"] : []),
  ];
}

import { expect, test } from "vitest";
import { alarmsFrom, parseSamples, totalsFrom } from "./prometheus.ts";

/** As RabbitMQ 4.0 answers. */
const PAGE = `# TYPE rabbitmq_detailed_queue_messages_ready gauge
# HELP rabbitmq_detailed_queue_messages_ready Messages ready to be delivered to consumers
rabbitmq_detailed_queue_messages_ready{vhost="/",queue="jobs"} 12
rabbitmq_detailed_queue_messages_ready{vhost="other",queue="jobs"} 99
rabbitmq_detailed_queue_messages_ready{vhost="/",queue="a \\"b\\" \\\\ {c}, d=\\"e\\""} 3
rabbitmq_detailed_queue_messages_unacked{vhost="/",queue="jobs"} 4
rabbitmq_detailed_queue_messages_ready{vhost="/",queue="log"} 100000
rabbitmq_detailed_stream_consumer_max_offset_lag{vhost="/",queue="log"} 7
rabbitmq_detailed_queue_messages{vhost="/",queue="jobs"} 16
nonsense
`;

test("the totals are those of one vhost's queues, whatever their names", () => {
  expect(Object.fromEntries(totalsFrom(parseSamples(PAGE), "/"))).toEqual({
    jobs: { ready: 12, unacked: 4, type: "other" },
    'a "b" \\ {c}, d="e"': { ready: 3, unacked: 0, type: "other" },
    log: { ready: 100_000, unacked: 0, type: "stream", lag: 7 },
  });
});

test("alarms are those that are on", () => {
  const page = (memory: number, disk: number) =>
    parseSamples(`rabbitmq_alarms_memory_used_watermark ${memory}\nrabbitmq_alarms_free_disk_space_watermark ${disk}\n`);
  expect(alarmsFrom(page(0, 0))).toEqual([]);
  expect(alarmsFrom(page(1, 0))).toEqual(["memory alarm"]);
  expect(alarmsFrom(page(1, 1))).toEqual(["memory alarm", "disk alarm"]);
});

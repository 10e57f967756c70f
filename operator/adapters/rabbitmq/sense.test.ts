import { expect, test } from "vitest";
import { createSense } from "./sense.ts";

const answering = (answer: unknown) =>
  createSense({
    connection: () => Promise.reject(new Error("none")),
    get: () => Promise.resolve(answer),
    scrape: () => Promise.reject(new Error("none")),
    vhost: "/",
  });

test("a channel that is new and has no peer yet does not hide what the others hold; one without a count makes its peer unknown", async () => {
  const channels = [
    { connection_details: [], messages_unacknowledged: 0 },
    { connection_details: { peer_host: "10.0.0.1" }, messages_unacknowledged: 2 },
    { connection_details: { peer_host: "10.0.0.1" }, messages_unacknowledged: 1 },
    { connection_details: { peer_host: "10.0.0.2" }, messages_unacknowledged: 0 },
    { connection_details: { peer_host: "10.0.0.3" } },
  ];
  expect([...(await answering(channels).unackedByPeer())]).toEqual([
    ["10.0.0.1", 3],
    ["10.0.0.2", 0],
  ]);
});

test("a queue that the broker has not counted yet has a name and no total", async () => {
  const queues = [
    { name: "new", type: "quorum" },
    { name: "old", type: "quorum", messages_ready: 3, messages_unacknowledged: 1 },
    { name: "mine", type: "classic", exclusive: true, messages_ready: 1 },
  ];
  const { queues: totals, names } = await answering(queues).totals();
  expect([...totals]).toEqual([["old", { ready: 3, unacked: 1, type: "quorum" }]]);
  expect(names).toEqual(["new", "old"]);
});

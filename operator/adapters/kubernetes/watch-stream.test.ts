import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { watchEvents, withoutBallast } from "./watch-stream.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const heavy = () => ({
  apiVersion: "v1",
  kind: "Queue",
  metadata: { name: "orders", managedFields: [{ manager: "kubectl" }], annotations: { [LAST_APPLIED]: "{}", mine: "stays" } },
});
const light = { apiVersion: "v1", kind: "Queue", metadata: { name: "orders", annotations: { mine: "stays" } } };

test("what a watch tells carries neither managedFields nor kubectl's copy of the spec, in whatever pieces it comes", async () => {
  const lines = `${JSON.stringify({ type: "ADDED", object: heavy() })}\n${JSON.stringify({ type: "DELETED", object: heavy() })}\n`;
  const events = [];
  for await (const event of watchEvents(Readable.from([lines.slice(0, 50), lines.slice(50)]), "watch")) events.push(event);
  expect(events).toEqual([
    { type: "ADDED", object: light },
    { type: "DELETED", object: light },
  ]);
});

test("an object without metadata or annotations stays as it is", () => {
  expect(withoutBallast({ metadata: undefined })).toEqual({ metadata: undefined });
  expect(withoutBallast({ metadata: { name: "orders" } })).toEqual({ metadata: { name: "orders" } });
});

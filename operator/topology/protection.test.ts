import { describe, expect, test } from "vitest";
import { createTopologyWorld, type TopologyWorld } from "../../test/fakes/topology-world.ts";
import { classicQueue } from "../../test/integration/topology-objects.ts";
import { queueKind } from "../kinds/queue/schema.ts";
import { resourceOf } from "../runtime/define-kind.ts";
import { KubeError } from "../runtime/kube-error.ts";

const writes = ({ kube }: TopologyWorld, name: string) =>
  kube.calls.filter((call) => (call.verb === "patch" || call.verb === "apply") && call.name === name);
/** Deletes Queue `q`, with an operator that starts after that if asked. Resolves whether the object is gone, and whether the broker has the queue. */
async function removed(world: TopologyWorld, startAfter = false): Promise<readonly [gone: boolean, there: boolean]> {
  await world.remove("Queue", "q");
  if (startAfter) await world.start();
  await world.clock.advance(1_000);
  return [(await world.get("Queue", "q")) === undefined, world.vhost.objects.has("queue/q")];
}

/** Declares queue `q`, and dies before anything of it is written down. */
async function diedTooEarly(world: TopologyWorld): Promise<void> {
  await world.start();
  // Of the queue, and what else is written meanwhile.
  for (let n = 0; n < 3; n++) world.kube.failNext("apply", new KubeError(503, "Unavailable", "the API server is away"));
  await world.queue("q");
  await world.clock.advance(10);
  expect(world.vhost.objects.has("queue/q")).toBe(true);
  await world.crash();
  expect((await world.get("Queue", "q"))?.status).toBeUndefined();
}

describe("objects that the API server protects as they are created", () => {
  test("one write makes a queue Ready and says whose it is; a binding needs no more", async () => {
    await using world = await createTopologyWorld({ protection: true });
    await world.queue("q");
    await world.exchange("e", { type: "direct" });
    await world.put("Binding", "b", { source: "e", destination: "q", routingKey: "k" });
    await world.start();
    await world.clock.advance(1_000);
    for (const [kind, name] of [
      ["Queue", "q"],
      ["Binding", "b"],
    ] as const) {
      expect(await world.ready(kind, name)).toMatchObject({ status: "True" });
      expect(writes(world, name).map(({ subresource }) => subresource)).toEqual(["status"]);
      expect((await world.get(kind, name))?.status?.owned).toBe(true);
    }
  });

  test("a queue with a list of bindings gets the finalizer, for they are to be written down", async () => {
    await using world = await createTopologyWorld({ protection: true });
    await world.exchange("e", { type: "direct" });
    await world.queue("q", { bindings: [{ exchange: "e" }] });
    await world.start();
    await world.clock.advance(1_000);
    const { metadata, status } = (await world.get("Queue", "q"))!;
    expect(metadata.finalizers).toContain("longshore.dev/finalizer");
    expect(status?.owned).toBe(true);
    expect(await removed(world)).toEqual([true, false]);
  });

  test("what the status says is its own goes with it, also after a restart and with other arguments", async () => {
    await using world = await createTopologyWorld({ protection: true });
    await world.queue("q");
    await world.start();
    await world.crash();
    world.vhost.take("queue/q");
    world.vhost.put(classicQueue("q", { "x-max-length": 9 }));
    await world.start();
    await world.clock.advance(1_000);
    expect(await world.ready("Queue", "q")).toMatchObject({ status: "False", reason: "ArgumentsDiffer" });
    expect((await world.get("Queue", "q"))?.status?.owned).toBe(true);
    expect(await removed(world)).toEqual([true, false]);
  });

  test("a foreign queue with other arguments stays when the object goes", async () => {
    await using world = await createTopologyWorld({ protection: true });
    world.vhost.put(classicQueue("q", { "x-max-length": 9 }));
    await world.queue("q");
    await world.start();
    await world.clock.advance(1_000);
    expect((await world.get("Queue", "q"))?.status).not.toHaveProperty("owned");
    expect(await removed(world)).toEqual([true, true]);
  });

  test("declared by an operator that died before it said so: it goes when it is as the object wants it", async () => {
    await using world = await createTopologyWorld({ protection: true });
    await diedTooEarly(world);
    expect(await removed(world, true)).toEqual([true, false]);
  });

  test("with messages in it, it stays, and that is said", async () => {
    await using world = await createTopologyWorld({ protection: true });
    await diedTooEarly(world);
    world.vhost.messages.set("q", 3);
    expect(await removed(world, true)).toEqual([true, true]);
    expect(world.events()).toContain("Orphaned");
  });

  test("paused before anything was done: it goes at once, and nothing is touched", async () => {
    await using world = await createTopologyWorld({ protection: true });
    world.vhost.put(classicQueue("q"));
    await world.put("Queue", "q", { type: "classic" }, { "longshore.dev/paused": "" });
    await world.start();
    await world.clock.advance(1_000);
    expect((await world.get("Queue", "q"))?.status).not.toHaveProperty("owned");
    expect(await removed(world)).toEqual([true, true]);
  });

  test("without a Broker it goes at once, and nothing is said to be left", async () => {
    await using world = await createTopologyWorld({ protection: true });
    await world.put("Queue", "q", { type: "classic", brokerRef: { name: "nowhere" } });
    await world.start();
    await world.clock.advance(1_000);
    await world.remove("Queue", "q");
    await world.clock.advance(1_000);
    expect(await world.get("Queue", "q")).toBeUndefined();
    expect(world.events()).not.toContain("Orphaned");
  });

  test("whose protection was taken away by hand gets the finalizer", async () => {
    await using world = await createTopologyWorld({ protection: true });
    await world.queue("q");
    await world.start();
    await world.clock.advance(1_000);
    await world.kube.patch(resourceOf(queueKind), "n", "q", { metadata: { finalizers: [] } });
    await world.clock.advance(1_000);
    expect((await world.get("Queue", "q"))?.metadata.finalizers).toEqual(["longshore.dev/finalizer"]);
  });
});

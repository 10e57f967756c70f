import assert from "node:assert/strict";
import * as fc from "fast-check";
import { BrokerError, type BrokerObject } from "../../operator/adapters/ports.ts";
import { classicQueue } from "../integration/topology-objects.ts";
import { bindingsOf, createTopologyWorld, type TopologyWorld } from "./topology-world.ts";

/**
 * Random sequences of edits to objects, edits behind the operator's back, outages and crashes. At rest the broker always equals what the objects
 * want, foreign things are untouched, and Ready says the truth; on the way there it is never true over a difference for longer than the drift period.
 */
/** What nobody tells is found by the next look at everything, ms. */
const DRIFT_BY_POLLING_MS = 12_000;
/** With events it is found at once, unless the broker is away, and a blip is believed for so long, ms. */
const DRIFT_BY_EVENTS_MS = 5_000;
/** Between two looks at what Ready says; the look itself, and how long a repair takes, ms. */
const SAMPLE_MS = 500;
const NAMES = ["a", "b", "c"] as const;
const QUEUES = ["x", "y"] as const;
const KEYS = ["k1", "k2", "k3"] as const;

type Command =
  | { readonly do: "apply"; readonly name: string; readonly queue: string; readonly keys: readonly string[] }
  | { readonly do: "delete" | "crash" | "outage" | "recover" | "wipe" | "shop" | "wait"; readonly name: string }
  | { readonly do: "take" | "unbind" | "foreign" | "replace"; readonly queue: string; readonly key: string };

const name = fc.constantFrom(...NAMES);
const queue = fc.constantFrom(...QUEUES);
const key = fc.constantFrom(...KEYS);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("apply" as const), name, queue, keys: fc.uniqueArray(key) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("delete" as const, "crash", "outage", "recover", "wipe", "shop", "wait"), name }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("take" as const, "unbind", "foreign", "replace"), queue, key }) },
);

interface Model {
  readonly objects: Map<string, { readonly queue: string; keys: readonly string[]; readonly age: number }>;
  /** Queues that somebody else made with other arguments at some time: what is left of them is not ours to judge. */
  readonly replaced: Set<string>;
  age: number;
}

/** A topic exchange without anything special. */
export const shop: BrokerObject = {
  type: "exchange",
  name: "shop",
  kind: "topic",
  durable: true,
  autoDelete: false,
  internal: false,
  arguments: {},
};
const theirs = (of: string): BrokerObject => classicQueue(of, { "x-max-length": 9 });
const binding = (of: string, routingKey: string): BrokerObject => ({
  type: "binding",
  source: "shop",
  destinationType: "queue",
  destination: of,
  routingKey,
  arguments: {},
});
const has = (world: TopologyWorld, of: string) => world.vhost.objects.has(`queue/${of}`);

async function run(world: TopologyWorld, model: Model, step: Command): Promise<void> {
  const { vhost } = world;
  switch (step.do) {
    case "apply": {
      const made = model.objects.get(step.name);
      // A name may come back only when the last object of that name is gone.
      if (made === undefined && (await world.get("Queue", step.name)) !== undefined) return;
      const of = made?.queue ?? step.queue;
      model.objects.set(step.name, { queue: of, keys: step.keys, age: made?.age ?? model.age++ });
      await world.queue(step.name, { name: of, bindings: step.keys.map((routingKey) => ({ exchange: "shop", routingKey })) });
      return;
    }
    case "delete":
      model.objects.delete(step.name);
      return world.remove("Queue", step.name);
    case "crash":
      await world.crash();
      return world.start();
    case "wait":
      return;
    case "outage":
      vhost.failure = new BrokerError("unreachable", "management", "away");
      return;
    case "recover":
      vhost.failure = undefined;
      return;
    case "wipe":
      return vhost.wipe();
    case "shop":
      return vhost.put(shop);
    case "take":
      return vhost.take(`queue/${step.queue}`);
    case "unbind":
      return vhost.take(...[...vhost.objects.keys()].filter((identity) => identity.includes(`"${step.queue}","${step.key}"`)));
    case "foreign":
      if (has(world, step.queue) && vhost.objects.has("exchange/shop")) vhost.put(binding(step.queue, "foreign"));
      return;
    case "replace":
      model.replaced.add(step.queue);
      vhost.take(`queue/${step.queue}`);
      return vhost.put(theirs(step.queue));
  }
}

const isReady = async (world: TopologyWorld, name: string, status: "True" | "False", reason: string): Promise<void> => {
  const condition = await world.ready("Queue", name);
  assert.deepEqual([condition?.status, condition?.reason], [status, reason], `Ready of ${name}`);
};

async function atRest(world: TopologyWorld, model: Model): Promise<void> {
  for (const of of QUEUES) {
    const [winner, ...losers] = [...model.objects].filter(([, one]) => one.queue === of).toSorted(([, a], [, b]) => a.age - b.age);
    for (const [loser] of losers) await isReady(world, loser, "False", "Conflict");
    if (winner === undefined) {
      if (!model.replaced.has(of)) assert.equal(has(world, of), false, `${of} is gone with its last object`);
      continue;
    }
    const [owner, { keys }] = winner;
    const there = world.vhost.objects.get(`queue/${of}`);
    if (there !== undefined && "arguments" in there && there.arguments["x-max-length"] === 9) {
      await isReady(world, owner, "False", "ArgumentsDiffer");
      continue;
    }
    assert.notEqual(there, undefined, `${of} is there`);
    const bindings = bindingsOf(world.vhost, of).filter((one) => one !== "shop foreign");
    assert.deepEqual(bindings, keys.map((one) => `shop ${one}`).toSorted());
    await isReady(world, owner, "True", "Declared");
  }
}

/** Whether the broker lacks something that the object wants. */
function differs(world: TopologyWorld, { queue: of, keys }: { readonly queue: string; readonly keys: readonly string[] }): boolean {
  const there = world.vhost.objects.get(`queue/${of}`);
  const bindings = bindingsOf(world.vhost, of);
  const equal = there !== undefined && "arguments" in there && there.arguments["x-max-length"] === undefined;
  return !equal || keys.some((one) => !bindings.includes(`shop ${one}`));
}

/** Lets time pass, and looks all the while for how long Ready is true over a difference. */
function watching(world: TopologyWorld, model: Model, driftMs: number): (ms: number) => Promise<void> {
  const since = new Map<string, number>();
  const look = async (): Promise<void> => {
    for (const one of NAMES) {
      const wanted = model.objects.get(one);
      const wrong = wanted !== undefined && differs(world, wanted) && (await world.ready("Queue", one))?.status === "True";
      if (!wrong) since.delete(one);
      else if (!since.has(one)) since.set(one, world.clock.elapsed());
      const lasts = world.clock.elapsed() - (since.get(one) ?? world.clock.elapsed());
      assert.ok(lasts <= driftMs + 2 * SAMPLE_MS, `Ready of ${one} is true over a difference for ${lasts} ms`);
    }
  };
  return async (ms) => {
    for (let left = ms; left > 0; left -= SAMPLE_MS) {
      await world.clock.advance(Math.min(left, SAMPLE_MS));
      await look();
    }
  };
}

/** Runs so many random sequences, each in a world of its own. `failure` is the smallest one that fails, for people; with it the others are not run. */
export async function checkTopologyModel(sequences: number): Promise<{ readonly sequences: number; readonly failure?: string }> {
  const found = await fc.check(
    fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 14 }), fc.nat(2), fc.boolean(), async (steps, pace, protection) => {
      await using world = await createTopologyWorld({ events: pace !== 2, bulk: pace !== 1, protection });
      const model: Model = { objects: new Map(), replaced: new Set(), age: 0 };
      const pass = watching(world, model, pace === 2 ? DRIFT_BY_POLLING_MS : DRIFT_BY_EVENTS_MS);
      world.vhost.put(shop);
      await world.start();
      for (const step of steps) {
        await run(world, model, step);
        // Creation times have a resolution of one second; what happens within one is decided by name.
        await pass(step.do === "apply" ? 1_000 : step.do === "wait" ? 7_000 : 10 ** pace);
      }
      world.vhost.failure = undefined;
      world.vhost.put(shop);
      await pass(45_000);
      await atRest(world, model);
    }),
    { numRuns: sequences },
  );
  return { sequences: found.numRuns, ...(found.failed ? { failure: fc.defaultReportMessage(found) ?? "" } : {}) };
}

import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectRedis } from "../../worker/adapters/redis.ts";
import { openChords } from "../../worker/chords/chords.ts";
import { type AttemptDeps, attempt, type Observer } from "../../worker/engine/attempt.ts";
import { newScheduled } from "../../worker/engine/scheduled.ts";
import { Stopper } from "../../worker/engine/stopper.ts";
import { openTaskSettings } from "../../worker/engine/task-settings.ts";
import { openGlobalRates } from "../../worker/leases/global-rates.ts";
import { openKeeper } from "../../worker/leases/keeper.ts";
import { LEASE_TIMES, openLeases } from "../../worker/leases/leases.ts";
import { asyncPool } from "../../worker/pools/async.ts";
import type { Delivery, StorePort } from "../../worker/ports.ts";
import { encodeTask } from "../../worker/protocol/encode-task.ts";
import { decodeResult, resultKey } from "../../worker/protocol/result.ts";
import { systemClock } from "../../worker/system-clock.ts";
import { defineTask, type Task } from "../../worker/tasks/define-task.ts";
import { redis } from "../cluster/cluster.ts";
import { memoryBroker } from "../fakes/broker.ts";

const STEPS = ["after-begin", "task-start", "before-act", "after-act", "after-run", "before-commit", "after-commit", "before-ack"] as const;
const LEASE_MS = 25;
const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const blind: Observer = { received() {}, started() {}, ended() {}, malformed() {} };

let store: StorePort;
beforeAll(async () => {
  store = connectRedis({ url: (await redis()).uri, name: "schedules-test", onChange: () => {} });
});
afterAll(() => store[Symbol.asyncDispose]());

/** The process dies here: nothing after this line happens, and nothing is cleaned up. */
class Death extends Error {}

interface Schedule {
  readonly mode: "at-most-once" | "at-least-once";
  /** Two messages of one id, or of two ids with one key of the user's. */
  readonly duplicate: "none" | "same-id" | "same-key";
  /** What befalls the nth attempt: it dies at a step, or freezes there beyond its lease and wakes up as a zombie. */
  readonly fates: readonly (undefined | { readonly at: (typeof STEPS)[number]; readonly how: "die" | "freeze" })[];
}

const scheduleOf: fc.Arbitrary<Schedule> = fc.record({
  mode: fc.constantFrom("at-most-once" as const, "at-least-once" as const),
  duplicate: fc.constantFrom("none" as const, "same-id" as const, "same-key" as const),
  fates: fc.array(
    fc.option(fc.record({ at: fc.constantFrom(...STEPS), how: fc.constantFrom("die" as const, "freeze" as const) }), { nil: undefined }),
    {
      maxLength: 4,
    },
  ),
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Plays one schedule with the real engine and a real Redis until no message is left. */
async function play({ mode, duplicate, fates }: Schedule): Promise<{ effects: number; results: string[] }> {
  const broker = memoryBroker(["q"], 2);
  const userKey = randomUUID();
  const ids: string[] = [randomUUID()];
  if (duplicate === "same-id") ids.push(ids[0] ?? "");
  if (duplicate === "same-key") ids.push(randomUUID());
  for (const id of ids) {
    const { properties, body } = encodeTask({ id, name: "pay", args: [], kwargs: {}, origin: "test" });
    await broker.publish({ exchange: "", routingKey: "q", properties, body });
  }
  let effects = 0;
  let serial = 0;
  const times = { ...LEASE_TIMES, leaseMs: LEASE_MS };

  const consume = async (delivery: Delivery): Promise<void> => {
    const fate = fates[(serial += 1) - 1];
    const owner = `${userKey}/${serial}`;
    const leases = openLeases(store, { times });
    const keeper = openKeeper(leases, LEASE_MS, systemClock);
    const died = Promise.withResolvers<never>();
    // Dying inside the task must not look like a failure of the task, so it never ends.
    const inTask = async (step: (typeof STEPS)[number]): Promise<void> => {
      if (fate?.at !== step) return;
      keeper[Symbol.dispose]();
      if (fate.how === "freeze") return await pause(LEASE_MS * 2);
      died.reject(new Death());
      await new Promise(() => {});
    };
    const pay: Task = defineTask({
      name: "pay",
      mode,
      idempotencyKey: () => (duplicate === "same-key" ? userKey : `${userKey}/${ids[0]}`),
      async run(_input, context) {
        await inTask("task-start");
        await context.effect();
        await inTask("before-act");
        effects += 1;
        await inTask("after-act");
        return "paid";
      },
    });
    const deps: AttemptDeps = {
      pool: asyncPool(),
      broker,
      leases,
      rpc: false,
      acks: { late: true, onFailureOrTimeout: true },
      globalRates: openGlobalRates(store),
      deliveryLimit: 0,
      hostname: "celery@schedules",
      chords: openChords(store, systemClock, 600),
      keeper,
      rows: { started: undefined, extend: (result) => result },
      tasks: new Map([["pay", pay]]),
      clock: systemClock,
      random: Math.random,
      settings: openTaskSettings(new Map()),
      log: quiet,
      observer: blind,
      scheduled: newScheduled(systemClock),
      isRevoked: () => false,
      nextOwner: () => owner,
      crashPoint(step) {
        if (fate?.at !== step || fate.how === "freeze") return;
        keeper[Symbol.dispose]();
        throw new Death();
      },
    };
    try {
      await Promise.race([attempt({ delivery, control: new Stopper() }, deps), died.promise]);
    } catch (error) {
      if (!(error instanceof Death)) throw error;
      delivery.reject(true);
    } finally {
      keeper[Symbol.dispose]();
    }
  };

  const idle = Promise.withResolvers<void>();
  let open = 0;
  let left = ids.length;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      const delivery = broker.take("q");
      if (delivery === undefined) {
        await pause(2);
        continue;
      }
      open += 1;
      const before = broker.delays.length;
      await consume(delivery);
      open -= 1;
      const answered = await Promise.all(ids.map((id) => store.command("EXISTS", resultKey(id))));
      const empty = broker.queues.get("q")?.length === 0 && open === 0 && broker.delays.length === before;
      if (empty && answered.every((found) => found === 1)) left = 0;
    }
  };
  const limit = setTimeout(() => idle.reject(new Error("a caller never got a result")), 20_000);
  await Promise.race([Promise.all([worker(), worker()]), idle.promise]);
  clearTimeout(limit);
  const stored = await Promise.all(ids.map((id) => store.command("GET", resultKey(id))));
  return { effects, results: stored.map((text) => decodeResult(String(text)).state) };
}

test("no crash, freeze or duplicate makes an effect happen twice, or leaves a caller without a result", async () => {
  const seen = { runs: 0, twice: 0, never: 0, unknown: 0 };
  const check = async (schedule: Schedule): Promise<void> => {
    const { effects, results } = await play(schedule);
    seen.runs += 1;
    expect(results.every((state) => state === "SUCCESS" || state === "FAILURE")).toBe(true);
    if (results.includes("FAILURE")) seen.unknown += 1;
    if (schedule.mode === "at-most-once") expect(effects).toBeLessThanOrEqual(1);
    else expect(effects).toBeGreaterThanOrEqual(1);
    if (results.includes("SUCCESS")) expect(effects).toBeGreaterThanOrEqual(1);
    if (effects > 1) seen.twice += 1;
  };
  const batches = fc.array(scheduleOf, { minLength: 40, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(batches, async (schedules) => void (await Promise.all(schedules.map(check)))),
    { numRuns: Number(process.env["SCHEDULES"] ?? 2_000) / 40, endOnFailure: true },
  );
  // A test that saw no crash past an effect would prove nothing.
  expect(seen.unknown).toBeGreaterThan(0);
  expect(seen.twice).toBeGreaterThan(0);
});

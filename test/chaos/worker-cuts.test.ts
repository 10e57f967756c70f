import { afterAll, beforeAll, expect, test } from "vitest";
import { openProxy, type Proxy } from "../fakes/proxy.ts";
import { type Lab, openLab, untilReady, type WorkerProcess } from "../integration/worker-process.ts";

const TASKS = `
import { defineTask, z } from "longshore";
let runs = 0;
export const once = defineTask({ name: "cuts.once", kwargs: z.object({ n: z.number() }), async run({ n }, { effect }) { await effect(); runs += 1; return n; } });
export const runsSoFar = defineTask({ name: "cuts.runs", run: () => runs });
`;
/** The promise: consuming again this soon after a cut, ms. Each keeps it where cuts are counted; on any machine, however busy, most do. */
const AGAIN_MS = 2_000;
const COUNTED = process.env["CUTS"] !== undefined;
const CUTS = Number(process.env["CUTS"] ?? 20);

let lab: Lab;
let toBroker: Proxy;
let toStore: Proxy;
let worker: WorkerProcess;
beforeAll(async () => {
  lab = await openLab("worker-cuts", 6);
  await lab.declare("q", { "x-queue-type": "quorum", "x-delivery-limit": -1 });
  const brokerUrl = new URL(lab.brokerUrl);
  const storeUrl = new URL(lab.redisUrl);
  toBroker = await openProxy(Number(brokerUrl.port));
  toStore = await openProxy(Number(storeUrl.port));
  brokerUrl.port = String(toBroker.port);
  storeUrl.port = String(toStore.port);
  // As the queue: each cut brings back what was under way, as often as the test wants.
  const env = { CELERY_BROKER_URL: brokerUrl.href, CELERY_RESULT_BACKEND: storeUrl.href, LONGSHORE_DELIVERY_LIMIT: "0" };
  worker = await lab.worker({ queues: "q", concurrency: 4, tasks: { "cuts.ts": TASKS }, env });
  await untilReady(worker);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  await toBroker[Symbol.asyncDispose]();
  await toStore[Symbol.asyncDispose]();
});

let sent = 0;
/** Sends one task and waits for its result; returns how long that took, ms. */
async function roundTrip(): Promise<number> {
  sent += 1;
  const before = performance.now();
  expect(await lab.python(`result = outcome(app.send_task("cuts.once", (${sent},)), 30)`)).toEqual(["ok", sent]);
  return performance.now() - before;
}

test.for(["broker", "store", "both"] as const)(
  "after each cut of the connections to the %s, tasks run again within two seconds",
  { timeout: 30_000 + CUTS * 3_000 },
  async (which) => {
    await roundTrip();
    const took: number[] = [];
    for (let cut = 0; cut < CUTS; cut += 1) {
      if (which !== "store") toBroker.cut();
      if (which !== "broker") toStore.cut();
      took.push(await roundTrip());
    }
    const sorted = took.toSorted((a, b) => a - b);
    const [median = 0, most = 0] = [sorted[Math.floor(CUTS / 2)], sorted.at(-1)];
    process.stdout.write(
      `${CUTS} cuts (${which}): a result after ${Math.round(median)} ms in the median, ${Math.round(most)} ms at most\n`,
    );
    expect(median).toBeLessThan(AGAIN_MS);
    expect(most).toBeLessThan(COUNTED ? AGAIN_MS : 10 * AGAIN_MS);
  },
);

test("cuts under load lose nothing and repeat no effect", async () => {
  const before = Number(((await lab.python('result = outcome(app.send_task("cuts.runs"))')) as unknown[])[1]);
  const load = lab.python(
    'calls = [app.send_task("cuts.once", (n,)) for n in range(400)]\nresult = [outcome(app.AsyncResult(call.id), 60)[0] for call in calls]',
  );
  let done = false;
  const cutting = (async () => {
    while (!done) {
      toBroker.cut();
      await new Promise((resolve) => void setTimeout(resolve, 150));
      toStore.cut();
      await new Promise((resolve) => void setTimeout(resolve, 150));
    }
  })();
  const outcomes = (await load) as string[];
  done = true;
  await cutting;
  const runs = Number(((await lab.python('result = outcome(app.send_task("cuts.runs"))')) as unknown[])[1]) - before;
  expect(outcomes.filter((outcome) => outcome !== "ok")).toEqual([]);
  expect(runs).toBe(400);
});

test("while the store is away nothing is acknowledged, and afterwards everything is answered", async () => {
  toStore.refuse(true);
  toStore.cut();
  const ids = await lab.python('result = [app.send_task("cuts.once", (n,)).id for n in range(20)]');
  await expect.poll(() => lab.ready("q"), { timeout: 30_000 }).toBe(16);
  toStore.refuse(false);
  expect(await lab.python(`result = sum(app.AsyncResult(id).get(timeout=30) for id in ${JSON.stringify(ids)})`)).toBe(190);
});

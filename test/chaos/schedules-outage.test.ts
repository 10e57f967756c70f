import { connect } from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Schedule, scheduleKind } from "../../operator/kinds/schedule/schema.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import { type PrivateBroker, redis, startBroker } from "../cluster/cluster.ts";
import { openScheduleStage, type ScheduleStage, type Tick, tickOf } from "../integration/schedule-stage.ts";
import { type Api, awaitObject, startApi } from "../integration/topology-operator.ts";

const MINUTE_MS = 60_000;
const QUEUE = "ticks";

let api: Api;
let broker: PrivateBroker;
let stage: ScheduleStage;
beforeAll(async () => {
  [api, broker] = await Promise.all([startApi(), startBroker({ version: "4.0", name: "schedules-outage" })]);
  await onChannel((channel) => channel.assertQueue(QUEUE, { durable: true }));
  stage = await openScheduleStage(api.server.kubeconfig, { broker: broker.uri, store: (await redis()).uri });
}, 240_000);
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

async function onChannel<T>(work: (channel: Awaited<ReturnType<Awaited<ReturnType<typeof connect>>["createChannel"]>>) => Promise<T>) {
  const model = await connect(broker.uri);
  try {
    return await work(await model.createChannel());
  } finally {
    await model.close();
  }
}

const until = async (name: string, wanted: (status: NonNullable<Schedule["status"]>) => boolean) => {
  const fits = (object: Schedule | undefined) => wanted(object?.status ?? {});
  return (await awaitObject<Schedule>(api.kube, resourceOf(scheduleKind), "default", name, fits, 120_000))?.status;
};

/** Takes what was published for one schedule so far off the queue. */
const published = (): Promise<readonly Tick[]> =>
  onChannel(async (channel) => {
    const ticks: Tick[] = [];
    for (let message = await channel.get(QUEUE, { noAck: true }); message; message = await channel.get(QUEUE, { noAck: true }))
      ticks.push(tickOf(message.properties.headers ?? {}));
    return ticks;
  });

const policies = [
  { catchUp: "Skip", due: [], missed: 10 },
  { catchUp: "FireOnce", due: [9], missed: 9 },
  { catchUp: "FireAll", due: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], missed: 0 },
] as const;

test("the broker is down while ten due times pass: each policy makes up for what it says, once, and then all are told as finished", async () => {
  // The clock of this operator can be set on by an hour.
  const clock = new URL("jumping-clock.ts", import.meta.url).href;
  const operator = stage.operator("outage", ["--import", clock, "operator/main.ts"]);
  const begin = Date.now() + 20 * MINUTE_MS;
  const dues = Array.from({ length: 10 }, (_, minute) => begin + minute * MINUTE_MS);
  const at = dues.map((due) => new Date(due).toISOString());
  for (const { catchUp } of policies) await stage.create(catchUp.toLowerCase(), { at, catchUp });
  await operator.said("publishing what is due");
  await Promise.all(policies.map(({ catchUp }) => until(catchUp.toLowerCase(), ({ nextScheduleTime }) => nextScheduleTime === at[0])));

  await broker.stop();
  process.kill(operator.pid, "SIGUSR2");
  // It sleeps for up to half a minute; something new wakes it.
  await stage.create("wakes", { every: "1h" });
  await until("fireall", ({ conditions }) => conditions?.[0]?.reason === "BrokerUnreachable");
  await broker.start();

  for (const { catchUp, due, missed } of policies) {
    const status = await until(catchUp.toLowerCase(), ({ conditions }) => conditions?.[0]?.reason === "Finished");
    expect({ catchUp, published: status?.published, missed: status?.missed }).toEqual({ catchUp, published: due.length, missed });
  }
  const ticks = await published();
  for (const { catchUp, due } of policies) {
    const own = ticks.filter(({ schedule }) => schedule === catchUp.toLowerCase());
    expect({ catchUp, due: own.map((tick) => dues.indexOf(tick.due)) }).toEqual({ catchUp, due });
    expect(new Set(own.map(({ id }) => id)).size).toBe(due.length);
  }
});

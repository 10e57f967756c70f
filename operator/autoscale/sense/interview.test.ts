import { expect, test } from "vitest";
import { createFakeClock, settled } from "../../../test/fakes/clock.ts";
import { DRAINING_ANNOTATION } from "../../../worker/contract/names.ts";
import type { Pod } from "../../kinds/worker-pool/pods.ts";
import type { WorkerPool } from "../../kinds/worker-pool/schema.ts";
import { type BrokerLink, createBrokerSensor } from "./broker-sensor.ts";
import { type CeleryBeat, celeryCounters, type HeardBeat, hearBeat } from "./celery-beats.ts";
import { createInterviewer } from "./interview.ts";

const beat = (active: number, processed: number, pid = 1, node = "celery@a"): CeleryBeat => ({ node, pid, active, processed });

test("the time that tasks ran is the number of them over time, and a new process begins with nothing", () => {
  let heard: HeardBeat | undefined;
  for (const [second, active, processed] of [
    [0, 2, 2],
    [2, 2, 4],
    [4, 0, 4],
  ] as const)
    heard = hearBeat(heard, beat(active, processed), second * 1_000);
  const of = (one: HeardBeat | undefined) => celeryCounters(["a", "b"], new Map(one && [["celery@a", one]])).get("a");
  expect(of(heard)).toEqual({ boot: "1", finished: 4, busyMs: 6_000 });
  expect(of(hearBeat(heard, beat(1, 1, 2), 6_000))).toEqual({ boot: "2", finished: 0, busyMs: 0 });
  // Nobody knows what was in a minute of silence.
  expect(of(hearBeat(heard, beat(0, 4), 64_000))?.busyMs).toBe(6_000);
  expect(of(undefined)).toBeUndefined();
});

/** A broker with one Celery worker, which has one task running and two prefetched. */
function stage() {
  const clock = createFakeClock();
  const asked: string[] = [];
  let tell: (beat: CeleryBeat) => void = () => undefined;
  const nothing = { [Symbol.asyncDispose]: () => Promise.resolve() };
  const link = {
    sense: { ...nothing },
    control: {
      ...nothing,
      async ask(method: string, _: object, nodes: readonly string[]) {
        asked.push(method);
        const reply = { active: [{}], reserved: [{}, {}], scheduled: [], active_queues: [{ name: "q" }] }[method];
        return new Map(nodes.map((node) => [node, reply]));
      },
    },
    celery: { ...nothing, listen: (onBeat: typeof tell) => void (tell = onBeat) },
    ...nothing,
  } as unknown as BrokerLink;
  const sensor = createBrokerSensor({ display: "broker" } as never, link);
  const interviewer = createInterviewer(clock);
  const pool = { spec: { runtime: "celery" } } as WorkerPool;
  const pod = (annotations: Record<string, string> = {}): Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a", annotations },
    status: { phase: "Running" },
  });
  const look = async (of = pod()) => {
    interviewer.testimony(pool, [of], sensor);
    await settled();
    return interviewer.testimony(pool, [of], sensor).answers.get("a");
  };
  return { clock, asked, look, pod, tell: (one: CeleryBeat) => tell(one) };
}

test("a worker that beats is asked seldom, and what it prefetched is not forgotten", async () => {
  const { clock, asked, look, tell } = stage();
  expect(await look()).toMatchObject({ value: { busy: 1, unacked: 3, consuming: ["q"] }, at: 0 });
  asked.length = 0;
  for (let second = 1; second < 20; second++) {
    await clock.advance(1_000);
    tell(beat(1, 5));
    expect(await look()).toMatchObject({ value: { busy: 1, unacked: 3 }, at: second * 1_000 });
  }
  expect(asked.filter((method) => method === "active")).toHaveLength(3);
});

test("one that is being drained is asked: its own answer counts, never a beat", async () => {
  const { clock, look, tell, pod } = stage();
  await look();
  await clock.advance(2_000);
  tell(beat(0, 5));
  expect(await look(pod({ [DRAINING_ANNOTATION]: "2026-01-01T00:00:00Z" }))).toMatchObject({ value: { busy: 1, unacked: 3 }, at: 2_000 });
});

test("one that falls silent is asked as often as an answer stays fresh", async () => {
  const { clock, asked, look, tell } = stage();
  await look();
  tell(beat(1, 1));
  await clock.advance(3_500);
  asked.length = 0;
  for (let half = 0; half < 12; half++) {
    await look();
    await clock.advance(500);
  }
  expect(asked.filter((method) => method === "active").length).toBeGreaterThanOrEqual(4);
});

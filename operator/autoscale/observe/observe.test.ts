import { expect, test } from "vitest";
import type { PodReadings, PoolReadings, QueueReadings } from "../sense/reading.ts";
import { observe } from "./observe.ts";
import { rememberZero } from "./zero.ts";

const now = 1_000_000;
const live = (ready: number, consumers = 0, age = 100) => ({ value: { ready, consumers }, at: now - age });
const totals = (ready: number, unacked = 0, age = 1_000) => ({ value: { ready, unacked, type: "quorum" as const }, at: now - age });
const queue = (given: Partial<QueueReadings>): QueueReadings => ({ name: "q", weight: 1, ...given });
const pod = (given: Partial<PodReadings>): PodReadings => ({
  name: "a",
  ready: true,
  running: true,
  leaving: false,
  createdAt: 0,
  neverBeat: false,
  ...given,
});
const works = (busy: number, unacked: number, age = 200) => ({ value: { busy, unacked, consuming: ["q"] }, at: now - age });
const look = (given: Partial<PoolReadings>) => observe({ now, queues: [], pods: [], alarms: [], failures: [], ...given });
const sure = { since: 0, confirmed: true };

const queues: readonly [why: string, given: readonly Partial<QueueReadings>[], value: number, trust: string][] = [
  ["a count above 0 is believed", [{ live: live(7) }], 7, "fresh"],
  ["a zero that two sensors agree on is believed", [{ live: live(0), zero: sure }], 0, "fresh"],
  ["a zero is not believed on its own word", [{ live: live(0), zero: { since: 0, confirmed: false } }], 0, "unconfirmed"],
  ["a zero that the totals deny is contradicted", [{ live: live(0), totals: totals(500) }], 0, "contradicted"],
  ["old totals deny nothing", [{ live: live(0), totals: totals(500, 0, 20_000) }], 0, "unconfirmed"],
  ["an old count is stale", [{ live: live(7, 0, 4_000) }], 7, "stale"],
  ["an old zero is stale even if it was confirmed", [{ live: live(0, 0, 4_000), zero: sure }], 0, "stale"],
  ["a queue that was never read is missing", [{}], 0, "missing"],
  ["a queue that does not exist is missing", [{ live: { value: { missing: true }, at: now } }], 0, "missing"],
  ["a queue that we may not look at is missing", [{ live: { value: { refused: "no" }, at: now } }], 0, "missing"],
  [
    "a stream's backlog is how far its consumers are behind, not its length",
    [{ live: live(9_000), totals: { value: { ready: 9_000, unacked: 0, type: "stream", lag: 7 }, at: now } }],
    7,
    "fresh",
  ],
  [
    "a stream whose consumers say nothing is not known",
    [{ live: live(9_000), totals: { value: { ready: 9_000, unacked: 0, type: "stream" }, at: now } }],
    0,
    "missing",
  ],
  ["queues are summed", [{ live: live(7) }, { live: live(5) }], 12, "fresh"],
  [
    "queues are weighted",
    [
      { live: live(7), weight: 2 },
      { live: live(4), weight: 0.5 },
    ],
    16,
    "fresh",
  ],
  ["the worst of the queues decides", [{ live: live(7) }, { live: live(0), totals: totals(9) }], 7, "contradicted"],
];
test.for(queues)("%s", ([, given, value, trust]) => {
  expect(look({ queues: given.map(queue) }).ready).toEqual({ value, trust });
});

const inFlight: readonly [
  why: string,
  pods: readonly Partial<PodReadings>[],
  queue: Partial<QueueReadings>,
  value: number,
  trust: string,
][] = [
  ["heartbeats are summed", [{ work: works(2, 3) }, { work: works(0, 1) }], {}, 4, "fresh"],
  ["no pods, nothing in flight", [], {}, 0, "fresh"],
  ["a pod whose container does not run has nothing", [{ ready: false, running: false }], {}, 0, "fresh"],
  ["one that never beat and is not ready has nothing", [{ ready: false, neverBeat: true }], {}, 0, "fresh"],
  ["one that is ready and silent is not idle", [{ neverBeat: true }], {}, 0, "missing"],
  ["one whose heartbeat stands still is not idle", [{ work: works(0, 0, 4_000) }], {}, 0, "missing"],
  ["the broker's totals stand in for a silent pod", [{ neverBeat: true }, { work: works(1, 1) }], { totals: totals(0, 6) }, 6, "fresh"],
  ["a pod that is leaving and silent is not waited for", [{ leaving: true }], {}, 0, "fresh"],
  ["a pod that is leaving still runs what it runs", [{ leaving: true, work: works(1, 1) }], {}, 1, "fresh"],
];
test.for(inFlight)("%s", ([, pods, of, value, trust]) => {
  expect(look({ pods: pods.map(pod), queues: [queue({ live: live(1), ...of })] }).inFlight).toEqual({ value, trust });
});

test("of hundreds of queues that cannot be read some are named", () => {
  const queues = Array.from({ length: 600 }, (_, index) => queue({ name: `q${index}` }));
  expect(look({ queues }).doubts).toEqual([
    "queue q0: not read yet",
    "queue q1: not read yet",
    "queue q2: not read yet",
    "597 more queues likewise",
  ]);
});

test("a doubt names the pods that are silent", () => {
  const pods = ["a", "b", "c", "d", "e"].map((name) => pod({ name }));
  expect(look({ pods, queues: [queue({ live: live(1) })] }).doubts).toEqual([
    "what is in flight is not known: no word from a, b, c and 2 more",
  ]);
});

const zeros: readonly [
  why: string,
  before: { since: number; confirmed: boolean } | undefined,
  given: Partial<QueueReadings>,
  heard: boolean,
  want: unknown,
][] = [
  ["a first zero is noted", undefined, { live: live(0) }, false, { since: now - 100, confirmed: false }],
  ["a count above 0 ends it", sure, { live: live(1) }, false, undefined],
  ["a missing queue is no zero", sure, { live: { value: { missing: true }, at: now } }, false, undefined],
  ["it stays confirmed", sure, { live: live(0) }, false, sure],
  [
    "only a leader that answers knows its consumers, and a worker says it is one",
    undefined,
    { live: live(0, 2) },
    true,
    { since: now - 100, confirmed: true },
  ],
  [
    "consumers that no worker speaks of are one sensor only",
    undefined,
    { live: live(0, 2) },
    false,
    { since: now - 100, confirmed: false },
  ],
  [
    "a worker that consumes, and no consumers: the leader did not answer",
    undefined,
    { live: live(0, 0) },
    true,
    { since: now - 100, confirmed: false },
  ],
  [
    "totals of long enough after agree",
    { since: now - 9_000, confirmed: false },
    { live: live(0), totals: totals(0) },
    false,
    { since: now - 9_000, confirmed: true },
  ],
  [
    "totals do not, while a worker consumes and the answer shows no consumer: the leader did not answer",
    { since: now - 9_000, confirmed: false },
    { live: live(0, 0), totals: totals(0) },
    true,
    { since: now - 9_000, confirmed: false },
  ],
  [
    "totals may speak of the time before",
    { since: now - 3_000, confirmed: false },
    { live: live(0), totals: totals(0) },
    false,
    { since: now - 3_000, confirmed: false },
  ],
  [
    "a classic queue answers itself",
    undefined,
    { live: live(0), totals: { value: { ready: 9, unacked: 0, type: "classic" }, at: now } },
    false,
    { since: now - 100, confirmed: true },
  ],
];
test.for(zeros)("zero: %s", ([, before, given, heard, want]) => {
  expect(rememberZero(before, queue(given), heard, now)).toEqual(want);
});

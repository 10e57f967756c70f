import { expect, test } from "vitest";
import { type Cooperation, type DrainingPod, planDrain } from "./drain-plan.ts";

const now = 100_000;
const works = (unacked: number, at: number, consuming: readonly string[] = []) => ({ value: { busy: unacked, unacked, consuming }, at });

/** Cordoned ten seconds ago, idle since, and cheapest. */
const drained: DrainingPod = {
  state: "working",
  assigned: true,
  markedForMs: 11_000,
  cordonedAt: 90_000,
  askedAt: 90_000,
  work: works(0, 99_500),
  brokerUnacked: undefined,
  cheapest: false,
};
const first = { cheapest: true } as const;
const starting = { state: "starting", markedForMs: 1_000, cordonedAt: undefined, askedAt: undefined, work: undefined } as const;

const cases: readonly [why: string, given: Partial<DrainingPod>, want: string, of?: { cooperation?: Cooperation; timeoutMs?: number }][] = [
  ["idle by a beat newer than the cordon, and the first to go", first, "remove"],
  ["idle, and its cost is not seen yet", {}, "lower-cost"],
  ["the first to go, and busy again", { ...first, work: works(1, 99_500) }, "raise-cost"],
  ["the first to go, and it consumes again", { ...first, work: works(0, 99_500, ["q"]) }, "raise-cost"],
  ["the first to go, and silent", { ...first, state: "silent" }, "raise-cost"],
  ["the first to go, for an operator that has just begun", { ...first, cordonedAt: undefined, askedAt: undefined }, "raise-cost"],
  ["just marked", { cordonedAt: undefined, askedAt: undefined }, "cordon"],
  [
    "after a restart of the operator nobody remembers the cordon",
    { cordonedAt: undefined, askedAt: undefined, work: works(0, 99_900) },
    "cordon",
  ],
  ["it was asked a moment ago", { cordonedAt: undefined, askedAt: 99_000 }, "wait"],
  ["it did not answer", { cordonedAt: undefined, askedAt: 95_000 }, "cordon"],
  ["idle by a beat older than the cordon", { work: works(0, 89_000) }, "wait"],
  ["idle by a beat that may have been written before the cordon", { work: works(0, 90_999) }, "wait"],
  ["it still runs something", { work: works(1, 99_500) }, "wait"],
  ["it consumes again, as after a restart of its process", { work: works(0, 99_500, ["q"]) }, "cordon"],
  ["it consumed when it was asked", { work: works(0, 90_500, ["q"]) }, "wait"],
  ["it is silent", { state: "silent" }, "wait"],
  ["it never said a word", { state: "silent", work: undefined }, "wait"],
  ["the broker says that it holds something", { brokerUnacked: { value: 1, at: 95_000 } }, "wait"],
  ["what the broker said before the cordon does not count", { ...first, brokerUnacked: { value: 1, at: 80_000 } }, "remove"],
  ["it is on no node", { ...starting, assigned: false, ...first }, "remove"],
  ["it is on no node and not cheapest", { ...starting, assigned: false }, "lower-cost"],
  ["it starts: it may consume before we hear of it", { ...starting, ...first }, "wait"],
  ["it does not come up", { ...starting, ...first, markedForMs: 15_000 }, "remove"],
  ["it is leaving already", { ...first, state: "leaving" }, "wait"],
  ["the time-out is over while it works", { ...first, work: works(1, 99_500) }, "time-out", { timeoutMs: 10_000 }],
  ["the time-out is over while it is silent", { ...first, state: "silent" }, "time-out", { timeoutMs: 10_000 }],
  ["the time-out is over and it is not cheapest", { work: works(1, 99_500) }, "lower-cost", { timeoutMs: 10_000 }],
  ["the time-out is not over", { work: works(1, 99_500) }, "wait", { timeoutMs: 12_000 }],
  ["an image that cannot be asked, of which the broker knows nothing", { cordonedAt: undefined }, "wait", { cooperation: "none" }],
  ["one that the broker says is busy", { brokerUnacked: { value: 1, at: 99_000 } }, "wait", { cooperation: "none" }],
  ["one that the broker says is idle", { ...first, brokerUnacked: { value: 0, at: 99_000 } }, "remove", { cooperation: "none" }],
  ["one that the broker said was idle before it was marked", { brokerUnacked: { value: 0, at: 88_000 } }, "wait", { cooperation: "none" }],
  [
    "one of which the broker said so long ago",
    { brokerUnacked: { value: 0, at: 87_000 }, markedForMs: 60_000 },
    "wait",
    { cooperation: "none" },
  ],
  ["one that was cheapest and is busy", { ...first, brokerUnacked: { value: 1, at: 99_000 } }, "raise-cost", { cooperation: "none" }],
];

test.for(cases)("%s: %s", ([, given, want, of]) => {
  expect(planDrain({ ...drained, ...given }, of?.cooperation ?? "remote-control", now, of?.timeoutMs ?? 0)).toBe(want);
});

import { expect, test } from "vitest";
import type { PodSeen } from "../observe/observation.ts";
import { goingPods } from "./going.ts";

const pod = (name: string, given: Partial<PodSeen> = {}): PodSeen => ({
  name,
  state: "working",
  ready: true,
  busy: 0,
  unacked: 0,
  drainingSince: 1,
  ...given,
});
const staying = pod("s", { drainingSince: undefined });
const leaving = pod("l", { state: "leaving" });

const cases: readonly [why: string, pods: readonly PodSeen[], cheapest: string, current: number, unchangedForMs: number, want: string][] = [
  ["the scale was lowered and the drained pod is still there", [pod("a"), staying], "a", 1, 200, "a"],
  ["which of two drained pods goes is not known: neither may come back", [pod("a"), pod("b"), staying], "ab", 2, 200, "ab"],
  ["a drained pod whose cost was not lowered is not among them", [pod("a"), pod("b"), staying], "a", 2, 200, "a"],
  ["it is told already", [leaving, staying], "l", 1, 200, ""],
  ["as many live as are asked for", [pod("a"), staying], "a", 2, 200, ""],
  ["the controller had its time and took another", [pod("a"), staying], "a", 1, 60_000, ""],
  ["a pod that is cheap by somebody else's hand", [staying, pod("a")], "s", 1, 200, ""],
];

test.for(cases)("%s", ([, pods, cheapest, current, unchangedForMs, want]) => {
  expect([...goingPods(pods, new Set(cheapest), current, unchangedForMs)].join("")).toBe(want);
});

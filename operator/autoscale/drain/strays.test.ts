import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/fakes/clock.ts";
import type { PodState } from "../observe/observation.ts";
import type { PodReadings } from "../sense/reading.ts";
import { createStrays } from "./strays.ts";

const reading = (consuming: readonly string[] | undefined): PodReadings => ({
  name: "a",
  ready: true,
  running: true,
  leaving: false,
  createdAt: 0,
  work: { value: { busy: 0, unacked: 0, consuming }, at: 0 },
  neverBeat: false,
});

/** Looks once a second; the seconds at which the pod is to be called back. */
async function calls(
  consuming: readonly string[] | undefined,
  given: { readonly state?: PodState; readonly drainingSince?: number } = {},
): Promise<readonly number[]> {
  const clock = createFakeClock();
  const strays = createStrays(clock);
  const times: number[] = [];
  for (let second = 0; second <= 12; second += 1) {
    const { state = "working", drainingSince } = given;
    if (strays([{ name: "a", state, drainingSince }], [reading(consuming)], ["q", "r"]).includes("a")) times.push(second);
    await clock.advance(1_000);
  }
  return times;
}

test.for<[why: string, consuming: readonly string[] | undefined, given: Parameters<typeof calls>[1], want: readonly number[]]>([
  ["consumes nothing, and nobody drains it: every 5 s", [], {}, [5, 10]],
  ["consumes one queue of two", ["q"], {}, [5, 10]],
  ["consumes all", ["r", "q"], {}, []],
  ["does not say what it consumes", undefined, {}, []],
  ["is being drained", [], { drainingSince: 1 }, []],
  ["leaves", [], { state: "leaving" }, []],
  ["was not heard", [], { state: "silent" }, []],
])("a worker that %s", async ([, consuming, given, want]) => {
  expect(await calls(consuming, given)).toEqual(want);
});

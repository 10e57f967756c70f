import { expect, test } from "vitest";
import { type Growth, settleGrowth } from "./debounce.ts";

/** Looks at `[ms, backlog, wanted replicas]` one after the other; says at which it acted. */
function watch(
  looks: readonly (readonly [at: number, backlog: number, replicas: number])[],
  size = 0,
  atMaximum = false,
): readonly number[] {
  let growth: Growth | undefined;
  const acted: number[] = [];
  for (const [now, backlog, replicas] of looks) {
    const next = settleGrowth(growth, { backlog, replicas, size, atMaximum }, now);
    growth = next.growth;
    if (next.act && replicas > size) acted.push(now);
  }
  return acted;
}

test("a burst that is there whole is acted upon at the third look", () => {
  expect(
    watch([
      [0, 500, 10],
      [60, 500, 10],
      [120, 500, 10],
    ]),
  ).toEqual([120]);
});

test("a publisher that stops for one look has not ended its burst", () => {
  expect(
    watch([
      [0, 120, 3],
      [60, 120, 3],
      [120, 500, 10],
      [180, 500, 10],
      [240, 500, 10],
    ]),
  ).toEqual([240]);
});

test("a burst that still arrives is waited for, so that there is one patch", () => {
  expect(
    watch([
      [0, 120, 3],
      [60, 300, 6],
      [120, 500, 10],
      [180, 500, 10],
      [240, 500, 10],
    ]),
  ).toEqual([240]);
});

test("a stream that never pauses is acted upon after 700 ms", () => {
  expect(
    watch([
      [0, 100, 2],
      [150, 200, 4],
      [300, 300, 6],
      [450, 400, 8],
      [600, 500, 10],
      [700, 600, 12],
    ]),
  ).toEqual([700]);
});

test("what needs the maximum needs no second look", () => {
  expect(watch([[0, 9_000, 10]], 0, true)).toEqual([0]);
});

test("a backlog that falls while growth is wanted has settled", () => {
  expect(
    watch(
      [
        [0, 500, 10],
        [60, 480, 10],
        [120, 460, 10],
      ],
      1,
    ),
  ).toEqual([120]);
});

test("shrinking and staying are never waited for", () => {
  expect(settleGrowth(undefined, { backlog: 0, replicas: 1, size: 3, atMaximum: false }, 0)).toEqual({ growth: undefined, act: true });
});

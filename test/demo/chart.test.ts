import { expect, test } from "vitest";
import { drawChart, tickStep } from "./chart.ts";
import { type Sample, sparkline } from "./sample.ts";

const sample = (at: number, backlog: number): Sample => ({ at, backlog, desired: 1, ready: 1, draining: 0, busy: 1, done: 0 });

test.for([
  [10, 5, 2],
  [7, 5, 2],
  [300, 5, 100],
  [3, 5, 1],
  [45, 10, 5],
])("up to %i in at most %i steps: a step of %i", ([top, most, want]) => expect(tickStep(top ?? 0, most ?? 1)).toBe(want));

test("a sparkline shows the peak of each bucket", () => {
  expect(sparkline([0, 0, 8, 0, 4, 4], 3)).toBe("▁█▅");
  expect(sparkline([], 10)).toBe("");
});

test("a chart holds every sample and no number that is not one", () => {
  const svg = drawChart([sample(0, 300), sample(1, 10), sample(2, 0)], "a run");
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  expect(svg.match(/H\d/g)?.length).toBeGreaterThanOrEqual(12);
});

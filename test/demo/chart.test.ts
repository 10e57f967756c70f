import { expect, test } from "vitest";
import { drawChart } from "./chart.ts";
import type { Sample } from "./sample.ts";

const sample = (at: number, backlog: number): Sample => ({ at, backlog, desired: 1, ready: 1, draining: 0, busy: 1, done: 0 });

test("a chart holds every sample and no number that is not one", () => {
  const svg = drawChart([sample(0, 300), sample(1, 10), sample(2, 0)], "a run");
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  expect(svg.match(/H\d/g)?.length).toBeGreaterThanOrEqual(12);
});

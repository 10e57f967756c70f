import { expect, test } from "vitest";
import { printable, quantile } from "./report.ts";

test.for([
  [[1, 2, 3, 4], 0.5, 2],
  [[4, 1, 3, 2], 0.99, 4],
  [[7], 0.5, 7],
] as const)("of %j the share %f lies below %i", ([values, share, want]) => expect(quantile(values, share)).toBe(want));

test("a report names every figure, with a plot of each series", () => {
  const text = printable({
    bench: "reaction",
    figures: { from0_p50_ms: 312.4 },
    peers: {},
    settings: { trials: 3 },
    series: { from0_ms: [300, 312, 340] },
  });
  expect(text).toContain("from0_p50_ms  312.40");
  expect(text).toContain("from0_ms (3 trials)");
});

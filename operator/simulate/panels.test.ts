import { expect, test } from "vitest";
import { drawPanels, tickStep } from "./panels.ts";
import { sparkline } from "./sparkline.ts";

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

test("names are text, whatever they hold", () => {
  const svg = drawPanels([0, 1], [{ title: "a < b", lines: [{ name: "R&D", colour: "red", values: [0, 3] }] }], "<t>");
  expect(svg).toContain("a &lt; b");
  expect(svg).toContain("R&amp;D");
  expect(svg).not.toMatch(/NaN|Infinity|undefined|<t>/);
});

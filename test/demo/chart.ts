import { drawPanels } from "../../operator/simulate/panels.ts";
import type { Sample } from "./sample.ts";

/** Backlog and replicas over time, as a stand-alone SVG. */
export function drawChart(samples: readonly Sample[], title: string): string {
  const line = (name: string, colour: string, value: (sample: Sample) => number, fill = false) => ({
    name,
    colour,
    fill,
    values: samples.map(value),
  });
  const panels = [
    { title: "tasks", lines: [line("backlog", "#c2410c", (s) => s.backlog, true), line("done", "#15803d", (s) => s.done)] },
    {
      title: "replicas and slots",
      lines: [
        line("replicas wanted", "#1d4ed8", (s) => s.desired, true),
        line("ready", "#0891b2", (s) => s.ready),
        line("draining", "#a21caf", (s) => s.draining),
        line("busy slots", "#ca8a04", (s) => s.busy),
      ],
    },
  ];
  return drawPanels(
    samples.map(({ at }) => at),
    panels,
    title,
  );
}

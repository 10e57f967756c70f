import { drawPanels } from "./panels.ts";
import type { Moment, Run } from "./run.ts";

const COLOURS = ["#1d4ed8", "#c2410c", "#15803d"] as const;
const PANELS: readonly { readonly title: string; readonly value: (moment: Moment) => number }[] = [
  { title: "longest wait, s", value: ({ wait }) => wait },
  { title: "backlog", value: ({ ready, unacked }) => ready + unacked },
  { title: "replicas", value: ({ replicas }) => replicas },
];

/** Wait, backlog and replicas of several runs over the same trace, beside one another, as a stand-alone SVG. */
export function drawRuns(runs: readonly { readonly name: string; readonly run: Run }[], title: string): string {
  const times = runs[0]?.run.moments.map(({ at }) => at) ?? [];
  const panels = PANELS.map((panel) => ({
    title: panel.title,
    lines: runs.map(({ name, run }, index) => ({
      name,
      colour: COLOURS[index % COLOURS.length] ?? "#374151",
      // Each run is noted at the times of its own loop: the value that held at the chart's time counts.
      values: sampled(run.moments, times).map((moment) => (moment === undefined ? 0 : panel.value(moment))),
      fill: index === 0,
    })),
  }));
  return drawPanels(times, panels, title);
}

function sampled(moments: readonly Moment[], times: readonly number[]): readonly (Moment | undefined)[] {
  let index = -1;
  return times.map((time) => {
    while ((moments[index + 1]?.at ?? Number.POSITIVE_INFINITY) <= time) index++;
    return moments[index];
  });
}

import type { Sample } from "./sample.ts";

const WIDTH = 860;
const PANEL = { left: 56, right: 20, height: 150, gap: 44, top: 48 } as const;

interface Series {
  readonly name: string;
  readonly colour: string;
  readonly value: (sample: Sample) => number;
  readonly fill?: boolean;
}

const PANELS: readonly { title: string; series: readonly Series[] }[] = [
  {
    title: "tasks",
    series: [
      { name: "backlog", colour: "#c2410c", value: (s) => s.backlog, fill: true },
      { name: "done", colour: "#15803d", value: (s) => s.done },
    ],
  },
  {
    title: "replicas and slots",
    series: [
      { name: "replicas wanted", colour: "#1d4ed8", value: (s) => s.desired, fill: true },
      { name: "ready", colour: "#0891b2", value: (s) => s.ready },
      { name: "draining", colour: "#a21caf", value: (s) => s.draining },
      { name: "busy slots", colour: "#ca8a04", value: (s) => s.busy },
    ],
  },
];

/** The smallest of 1, 2, 5 x 10^n that gives at most `most` steps up to `top`. */
export function tickStep(top: number, most: number): number {
  for (let power = 1; ; power *= 10) {
    const step = [1, 2, 5].map((digit) => digit * power).find((size) => top / size <= most);
    if (step !== undefined) return step;
  }
}

const ticks = (top: number, most: number): number[] => {
  const step = tickStep(top, most);
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, at) => at * step);
};

/** Backlog and replicas over time, as a stand-alone SVG. Replicas are drawn as steps, because that is what they are. */
export function drawChart(samples: readonly Sample[], title: string): string {
  const start = Math.min(0, ...samples.map((s) => s.at));
  const end = Math.max(1, ...samples.map((s) => s.at));
  const inner = WIDTH - PANEL.left - PANEL.right;
  const x = (at: number) => PANEL.left + ((at - start) / (end - start)) * inner;
  const height = PANEL.top + PANELS.length * (PANEL.height + PANEL.gap);
  const panels = PANELS.map(({ title: panelTitle, series }, index) => {
    const bottom = PANEL.top + PANEL.height + index * (PANEL.height + PANEL.gap);
    const top = Math.max(1, ...series.flatMap((one) => samples.map(one.value)));
    const y = (value: number) => bottom - (value / top) * PANEL.height;
    const lines = series.map(({ colour, value, fill }) => {
      const path = samples
        .map((s, at) => `${at === 0 ? "M" : "H"}${x(s.at).toFixed(1)}${at === 0 ? "," : "V"}${y(value(s)).toFixed(1)}`)
        .join("");
      const area = fill ? `<path d="${path}V${bottom}H${x(samples[0]?.at ?? 0).toFixed(1)}Z" fill="${colour}" opacity="0.12"/>` : "";
      return `${area}<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>`;
    });
    const grid = ticks(top, 5).map(
      (value) =>
        `<line x1="${PANEL.left}" x2="${WIDTH - PANEL.right}" y1="${y(value)}" y2="${y(value)}" stroke="#e5e7eb"/><text x="${PANEL.left - 8}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
    );
    const legend = series.map(
      ({ name, colour }, at) =>
        `<rect x="${PANEL.left + 150 + at * 130}" y="${bottom - PANEL.height - 20}" width="12" height="4" fill="${colour}"/><text x="${PANEL.left + 168 + at * 130}" y="${bottom - PANEL.height - 14}">${name}</text>`,
    );
    return `${grid.join("")}<text x="${PANEL.left}" y="${bottom - PANEL.height - 14}" font-weight="600">${panelTitle}</text>${legend.join("")}${lines.join("")}`;
  });
  const seconds = ticks(end, 10).map((at) => `<text x="${x(at)}" y="${height - 16}" text-anchor="middle">${at} s</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#374151"><rect width="100%" height="100%" fill="#ffffff"/><text x="${PANEL.left}" y="20" font-size="14" font-weight="600">${title}</text>${panels.join("")}${seconds.join("")}</svg>\n`;
}

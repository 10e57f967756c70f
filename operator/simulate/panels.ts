const WIDTH = 860;
const PANEL = { left: 56, right: 20, height: 150, gap: 44, top: 48 } as const;
const LEGEND = { from: 150, each: 165 } as const;

/** One line of a panel: a value at each time, the times of the chart. */
export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly number[];
  readonly fill?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

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

/** Panels below one another over the same times (s), as a stand-alone SVG. Every line is drawn as steps, because sizes and counts are. */
export function drawPanels(times: readonly number[], panels: readonly Panel[], title: string): string {
  const start = times.reduce((least, at) => Math.min(least, at), 0);
  const end = times.reduce((most, at) => Math.max(most, at), 1);
  const inner = WIDTH - PANEL.left - PANEL.right;
  const x = (at: number) => PANEL.left + ((at - start) / (end - start)) * inner;
  const height = PANEL.top + panels.length * (PANEL.height + PANEL.gap);
  const drawn = panels.map(({ title: panelTitle, lines }, index) => {
    const bottom = PANEL.top + PANEL.height + index * (PANEL.height + PANEL.gap);
    const top = lines.reduce((most, { values }) => values.reduce((a, b) => Math.max(a, b), most), 1);
    const y = (value: number) => bottom - (value / top) * PANEL.height;
    const paths = lines.map(({ colour, values, fill }) => {
      const path = values
        .map((value, at) => `${at === 0 ? "M" : "H"}${x(times[at] ?? end).toFixed(1)}${at === 0 ? "," : "V"}${y(value).toFixed(1)}`)
        .join("");
      const area = fill ? `<path d="${path}V${bottom}H${x(times[0] ?? 0).toFixed(1)}Z" fill="${colour}" opacity="0.12"/>` : "";
      return `${area}<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>`;
    });
    const grid = ticks(top, 5).map(
      (value) =>
        `<line x1="${PANEL.left}" x2="${WIDTH - PANEL.right}" y1="${y(value)}" y2="${y(value)}" stroke="#e5e7eb"/><text x="${PANEL.left - 8}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
    );
    const above = bottom - PANEL.height;
    const legend = lines.map(({ name, colour }, at) => {
      const left = PANEL.left + LEGEND.from + at * LEGEND.each;
      return `<rect x="${left}" y="${above - 20}" width="12" height="4" fill="${colour}"/><text x="${left + 18}" y="${above - 14}">${escape(name)}</text>`;
    });
    return `${grid.join("")}<text x="${PANEL.left}" y="${above - 14}" font-weight="600">${escape(panelTitle)}</text>${legend.join("")}${paths.join("")}`;
  });
  const seconds = ticks(end, 10).map((at) => `<text x="${x(at)}" y="${height - 16}" text-anchor="middle">${at} s</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#374151"><rect width="100%" height="100%" fill="#ffffff"/><text x="${PANEL.left}" y="20" font-size="14" font-weight="600">${escape(title)}</text>${drawn.join("")}${seconds.join("")}</svg>\n`;
}

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

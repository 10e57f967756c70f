import { sparkline } from "../../operator/simulate/sparkline.ts";
import type { Sample } from "./sample.ts";

/** The demo's terminal: on a terminal the live line is redrawn in place, elsewhere a line is printed when something changed. */
export interface Screen {
  /** Something that happened; stays. */
  say(line: string): void;
  /** What is going on now; `decision` is the last scaling decision in words. */
  live(sample: Sample, total: number, decision: string): void;
  /** Leaves the live lines as they are. */
  end(): void;
}

const figures = (s: Sample, total: number): string =>
  `${s.at.toFixed(0).padStart(4)} s  backlog ${String(s.backlog).padStart(3)}  replicas ${s.desired} wanted, ${s.ready} ready, ${s.draining} draining  busy slots ${String(s.busy).padStart(2)}  done ${s.done}/${total}`;

export function createScreen(out: NodeJS.WriteStream): Screen {
  let drawn = 0;
  let last = "";
  const clear = () => {
    if (drawn > 0) out.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  return {
    say(line) {
      clear();
      out.write(`${line}\n`);
    },
    live(sample, total, decision) {
      if (out.isTTY) {
        clear();
        const width = Math.max(20, (out.columns ?? 100) - 1);
        const bar = "█".repeat(Math.round((30 * sample.done) / Math.max(1, total))).padEnd(30, "░");
        const lines = [figures(sample, total), `        ${bar}`, `        ${decision}`].map((line) => line.slice(0, width));
        out.write(`${lines.join("\n")}\n`);
        drawn = lines.length;
        return;
      }
      const { at: _, backlog: __, done: ___, busy: ____, ...sizes } = sample;
      const now = JSON.stringify([sizes, decision]);
      if (now !== last) out.write(`${figures(sample, total)}  ${decision}\n`);
      last = now;
    },
    end() {
      drawn = 0;
    },
  };
}

/** The course of the run in two lines. */
export function summaryLines(samples: readonly Sample[], width: number): string[] {
  return [
    `backlog   ${sparkline(
      samples.map((s) => s.backlog),
      width,
    )}`,
    `replicas  ${sparkline(
      samples.map((s) => s.desired),
      width,
    )}`,
  ];
}

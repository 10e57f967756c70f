import type { OperatorProcess } from "../../integration/operator-process.ts";
import type { ScheduleStage } from "../../integration/schedule-stage.ts";

const LEADING = "publishing what is due";

/** Two operators that take turns: whenever one is ended, another takes its place as the candidate. */
export interface Leaders {
  /** The name of the one that leads, as the origin of its messages has it. */
  readonly leader: () => string;
  /** Ends the leader; resolves with the moment, ms since the epoch, once the next candidate stands ready. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<{ readonly at: number; readonly next: string }>;
  /** Ends both. */
  stop(): Promise<void>;
}

export async function startLeaders(stage: ScheduleStage, main: readonly string[]): Promise<Leaders> {
  let count = 0;
  const start = async (): Promise<{ readonly name: string; readonly process: OperatorProcess }> => {
    count += 1;
    const name = `operator-${count}`;
    const process = stage.operator(name, main);
    await process.said("caches are warm");
    return { name, process };
  };
  let leader = await start();
  await leader.process.said(LEADING);
  let candidate = await start();
  return {
    leader: () => leader.name,
    async stop() {
      await Promise.all([leader, candidate].map(({ process }) => process.end("SIGTERM")));
    },
    async end(signal) {
      const ended = leader;
      const next = candidate;
      const at = Date.now();
      await ended.process.end(signal);
      leader = next;
      candidate = await start();
      return { at, next: next.name };
    },
  };
}

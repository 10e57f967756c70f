import { type Letter, planRedrive, type RedriveFilter, type RedrivePlan } from "./plan.ts";

/** A dead-letter queue. What was taken and not moved goes back when it is closed, where it stood. */
export interface DeadLetters<T extends Letter> extends AsyncDisposable {
  /** The next message; undefined when there is none now. */
  take(): Promise<T | undefined>;
  /** Publishes it with these headers; resolves when the broker has it, and throws when no queue takes it. Then it is gone from here. */
  move(letter: T, queue: string, headers: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface RedriveReport {
  readonly moved: number;
  readonly kept: number;
  /** Why messages stayed, and how many. */
  readonly reasons: ReadonlyMap<string, number>;
}

export interface RedriveBounds {
  /** At most so many are moved. */
  readonly limit: number;
  /** At most so many are looked at. */
  readonly scan: number;
  readonly dryRun: boolean;
}

/**
 * Moves dead letters back, one after the other, each acknowledged only after the broker has its copy: a crash leaves one twice, and the lease
 * of its task keeps that from mattering. Never looks at more than `scan`. Throws what the queue throws; the rest stays where it was.
 */
export async function redriveLetters<T extends Letter>(
  letters: DeadLetters<T>,
  filter: RedriveFilter,
  { limit, scan, dryRun }: RedriveBounds,
  now: () => number,
  tell: (plan: RedrivePlan) => void,
): Promise<RedriveReport> {
  const reasons = new Map<string, number>();
  let moved = 0;
  let kept = 0;
  while (moved < limit && moved + kept < scan) {
    const letter = await letters.take();
    if (letter === undefined) break;
    const plan = planRedrive(letter, filter, now());
    tell(plan);
    if (plan.do === "keep") {
      kept += 1;
      reasons.set(plan.why, (reasons.get(plan.why) ?? 0) + 1);
      continue;
    }
    if (!dryRun) await letters.move(letter, plan.queue, plan.headers);
    moved += 1;
  }
  return { moved, kept, reasons };
}

import type { StoreEndpoint } from "../adapters/ports.ts";
import { scheduleKind } from "../kinds/schedule/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import { resourceOf } from "../runtime/define-kind.ts";
import type { Links } from "../runtime/links.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import type { StatusWriter } from "../runtime/truth/status.ts";
import type { Transitions } from "../runtime/truth/transitions.ts";
import { conditionOf, lookAgainMs, statusFields } from "./condition.ts";
import type { Entry, Trouble } from "./entry.ts";
import { createHeap } from "./heap.ts";
import type { RecordPort } from "./ports.ts";

export interface ReporterOptions {
  readonly status: StatusWriter;
  readonly storeOf: (namespace: string, name: string) => StoreEndpoint | Trouble;
  readonly stores: Links<StoreEndpoint, RecordPort>;
  readonly transitions: Transitions;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface Reporter extends AsyncDisposable {
  /** The status of a schedule is written soon: at once when `urgent`, else ten seconds after the last. */
  tell(entry: Entry, urgent: boolean): void;
  /** Writes what is to be written now, to its end. */
  runOnce(): Promise<void>;
}

/** Twenty routine writes a second at most, whatever happens: the store has the truth, the status follows. Ten times as many that somebody waits for. */
const ROUND_MS = 250;
const PER_ROUND = { urgent: 50, routine: 5 } as const;
const AGAIN_MS = 10_000;
const FAILED_MS = 5_000;

const SCHEDULES = resourceOf(scheduleKind);

interface Item {
  readonly entry: Entry;
  readonly at: number;
}

/** Writes what became of schedules into their status, and looks at the results of their last runs. */
export function createReporter(options: ReporterOptions): Reporter {
  const { clock, log, signal } = options;
  const queues = { urgent: createHeap<Item>(), routine: createHeap<Item>() };
  const planned = new WeakMap<Entry, number>();
  const written = new WeakMap<Entry, { readonly at: number; readonly taskId: string | undefined }>();
  let timer: Disposable | undefined;
  let running: Promise<void> = Promise.resolve();
  let lastRound = Number.NEGATIVE_INFINITY;

  const plan = (entry: Entry, at: number, urgency: keyof typeof queues): void => {
    const known = planned.get(entry);
    if (known !== undefined && known <= at) return;
    planned.set(entry, at);
    queues[urgency].push(at, { entry, at });
    arm();
  };
  const arm = (): void => {
    timer?.[Symbol.dispose]();
    const nextAt = Math.min(queues.urgent.nextAt ?? Infinity, queues.routine.nextAt ?? Infinity);
    if (nextAt === Infinity || signal.aborted) return;
    timer = clock.after(Math.max(0, Math.max(nextAt, lastRound + ROUND_MS) - clock.elapsed()), () => {
      running = round().finally(arm);
    });
  };
  const take = (urgency: keyof typeof queues): readonly Entry[] => {
    const taken: Entry[] = [];
    const now = clock.elapsed();
    while (taken.length < PER_ROUND[urgency]) {
      const item = queues[urgency].take(now);
      if (item === undefined) break;
      if (planned.get(item.entry) !== item.at) continue;
      planned.delete(item.entry);
      if (!item.entry.gone) taken.push(item.entry);
    }
    return taken;
  };
  const round = async (): Promise<void> => {
    lastRound = clock.elapsed();
    await Promise.all([...take("urgent"), ...take("routine")].map((entry) => write(entry)));
  };

  const write = async (entry: Entry): Promise<void> => {
    try {
      await lookAtRun(entry, options);
      if (signal.aborted) return;
      const condition = conditionOf(entry);
      options.transitions.say(entry.object, condition);
      await options.status.write(SCHEDULES, entry.object, { conditions: [condition], fields: statusFields(entry, clock.now()) });
      const now = clock.elapsed();
      const last = written.get(entry);
      const taskId = entry.memory?.lastTaskId;
      written.set(entry, { at: now, taskId });
      // One that runs every few seconds is not looked at after every run.
      const often = last !== undefined && last.taskId !== taskId && now - last.at < 1.5 * AGAIN_MS;
      const again = lookAgainMs(entry, clock.now());
      if (again !== undefined) plan(entry, now + (often ? AGAIN_MS : again), "routine");
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ schedule: entry.key, ...errorFields(error) }, "cannot write the status of a schedule, trying again");
      plan(entry, clock.elapsed() + FAILED_MS, "routine");
    }
  };

  return {
    tell(entry, urgent) {
      const now = clock.elapsed();
      if (urgent) plan(entry, now, "urgent");
      else plan(entry, Math.max(now, (written.get(entry)?.at ?? now) + AGAIN_MS), "routine");
    },
    async runOnce() {
      await running;
      await round();
    },
    async [Symbol.asyncDispose]() {
      timer?.[Symbol.dispose]();
      await running;
    },
  };
}

/** How the last run stands; a store that cannot be read leaves it as it was. */
async function lookAtRun(entry: Entry, { storeOf, stores, clock }: ReporterOptions): Promise<void> {
  if (lookAgainMs(entry, clock.now()) === undefined) return;
  const { metadata, spec } = entry.object;
  const taskId = entry.memory?.lastTaskId;
  const store = storeOf(metadata.namespace ?? "", spec.storeRef.name);
  if (taskId === undefined || "reason" in store) return;
  try {
    const [run] = await stores.to(store).runs([taskId]);
    entry.lastRun = { taskId, run };
  } catch {
    // The loop says what is wrong with the store.
  }
}

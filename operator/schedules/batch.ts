import type { Schedule } from "../kinds/schedule/schema.ts";
import { errorFields } from "../runtime/log.ts";
import type { Reason } from "../runtime/truth/reasons.ts";
import type { Entry, Trouble } from "./entry.ts";
import { messageProblem } from "./message.ts";
import { decideOverlap } from "./overlap.ts";
import { afterRuns, type Plan, type PlanOptions, planNow, type RunOutcome } from "./plan.ts";
import type { PublishPort, RecordPort } from "./ports.ts";
import { type PublishDeps, publishRuns, untilTime } from "./publish-runs.ts";
import { fieldsOf, type Memory, recall } from "./record.ts";
import { type ReadTiming, readTiming, timesProblem } from "./timing.ts";
import { storeTrouble } from "./trouble.ts";

export interface BatchDeps extends PublishDeps {
  /** Unique per term of leadership: who claims. */
  readonly owner: string;
  readonly claimMs: number;
  readonly onTimeMs: number;
  /** Told what a plan leaves out. */
  readonly onMissed: (entry: Entry, count: number, why: "late" | "forbidden") => void;
}

interface Claimed {
  readonly entry: Entry;
  readonly plan: Plan;
  readonly fence: string;
}

/** Most messages of one batch where there is much to make up for, and most of one schedule: they must be out long before the claims end. */
const MESSAGES = { batch: 100, schedule: 100 } as const;
/**
 * So long before its time, ms, a due time is planned and claimed: then only the message has to go out. Short beside a claim, which is held meanwhile, and
 * long enough for a thousand of them.
 */
const AHEAD_MS = 300;
/** When to look again, ms: at what another operator has in hand; while the broker or the store is away. */
const BUSY_MS = 200;
const AWAY_MS = 250;
const FAILED_MS = 2_000;
/** What only a message that arrives disproves. */
const STAYS: ReadonlySet<Reason> = new Set(["QueueMissing", "ExchangeMissing", "NotPermitted", "BrokerRefuses"]);

/**
 * Does what is due for schedules on one broker and store: read, plan, claim, wait for its time, publish, settle; each a round trip for all of them. Sets when each is to be
 * looked at next. Never throws. What fails stays due; what was published and could not be settled is settled next time.
 */
export async function runBatch(entries: readonly Entry[], records: RecordPort, broker: PublishPort, deps: BatchDeps): Promise<void> {
  const fail = (trouble: Trouble, of: readonly Entry[]): void => {
    for (const entry of of) {
      entry.trouble = trouble;
      entry.at = deps.clock.now() + FAILED_MS;
    }
  };
  try {
    await settleUnsaved(entries, records);
    await remember(entries, records);
    const up = await broker.ready(AWAY_MS);
    const now = deps.clock.now();
    const limit = Math.min(MESSAGES.schedule, Math.ceil(MESSAGES.batch / entries.length));
    const planned = entries.flatMap((entry) => plan(entry, now, { onTimeMs: deps.onTimeMs, aheadMs: AHEAD_MS, limit }));
    const away = up ? [] : planned.filter(({ plan: { runs } }) => runs.length > 0);
    for (const { entry } of away) {
      entry.at = now + AWAY_MS;
      entry.trouble = { reason: "BrokerUnreachable", message: `Broker ${entry.object.spec.brokerRef.name} cannot be reached` };
    }
    const started = deps.clock.elapsed();
    const claimed = await claim(
      planned.filter((one) => !away.includes(one)),
      records,
      deps,
    );
    const ready = await withOverlap(claimed, records, deps);
    const times = ready.flatMap(({ plan: { runs } }) => runs.map(({ at }) => at));
    if (times.length > 0) await untilTime(Math.min(...times), deps);
    if (deps.signal.aborted || deps.clock.elapsed() - started > deps.claimMs / 2) {
      // The claims might end before the messages are out: given back, for whoever comes next.
      for (const { entry } of claimed) entry.at = deps.clock.now();
      await records.settle(claimed.map(({ entry, fence }) => ({ uid: uidOf(entry), fence, fields: {} })));
      return;
    }
    await settle(await publishRuns(ready, broker, deps), records, deps);
  } catch (error) {
    if (!deps.signal.aborted) deps.log.warn(errorFields(error), "cannot publish what is due, trying again");
    fail(storeTrouble(error), entries);
  }
}

async function settleUnsaved(entries: readonly Entry[], records: RecordPort): Promise<void> {
  const unsaved = entries.flatMap((entry) => (entry.unsaved === undefined ? [] : [{ entry, ...entry.unsaved }]));
  if (unsaved.length === 0) return;
  const requests = unsaved.map(({ entry, fence, memory }) => ({ uid: uidOf(entry), fence, fields: fieldsOf(memory) }));
  const settled = await records.settle(requests);
  for (const [at, { entry, memory }] of unsaved.entries()) conclude(entry, memory, settled[at] === true);
}

async function remember(entries: readonly Entry[], records: RecordPort): Promise<void> {
  const unknown = entries.filter(({ memory }) => memory === undefined);
  if (unknown.length === 0) return;
  const hashes = await records.read(unknown.map(uidOf));
  for (const [at, entry] of unknown.entries()) entry.memory = recall(entry.object, hashes[at] ?? {});
}

/** A spec that cannot be read waits for its user. */
function plan(entry: Entry, now: number, options: PlanOptions): { entry: Entry; plan: Plan }[] {
  const { object, memory } = entry;
  const read = entry.read ?? readSpec(object);
  entry.at = Number.POSITIVE_INFINITY;
  if (memory === undefined) return [];
  try {
    if ("problem" in read) throw new RangeError(read.problem);
    const made = planNow(object, read, memory, now, options);
    entry.read = read;
    if (entry.trouble !== undefined && !STAYS.has(entry.trouble.reason)) delete entry.trouble;
    entry.at = made.nextAt ?? Number.POSITIVE_INFINITY;
    return made.write ? [{ entry, plan: made }] : [];
  } catch (error) {
    entry.trouble = { reason: "InvalidSpec", message: `spec.${"problem" in read ? read.problem : timesProblem(object.spec, error)}` };
    return [];
  }
}

function readSpec(object: Schedule): ReadTiming | { readonly problem: string } {
  const problem = messageProblem(object);
  return problem === undefined ? readTiming(object) : { problem };
}

async function claim(planned: readonly { entry: Entry; plan: Plan }[], records: RecordPort, deps: BatchDeps): Promise<readonly Claimed[]> {
  if (planned.length === 0) return [];
  const requests = planned.map(({ entry }) => ({ uid: uidOf(entry), cursor: entry.memory?.stored ?? "" }));
  const answers = await records.claim(requests, deps.owner, deps.claimMs);
  return planned.flatMap(({ entry, plan: made }, at) => {
    const answer = answers[at];
    if (answer !== undefined && "held" in answer) return [{ entry, plan: made, fence: answer.held }];
    entry.at = deps.clock.now() + (answer !== undefined && "busy" in answer ? Math.min(answer.busy, BUSY_MS) : 0);
    if (answer !== undefined && "moved" in answer) delete entry.memory;
    return [];
  });
}

/** Where a policy asks for it, what becomes of the due time by the run before. */
async function withOverlap(claimed: readonly Claimed[], records: RecordPort, deps: BatchDeps) {
  const asking = claimed.filter(
    ({ entry, plan: { runs } }) => runs.some(({ runNow }) => runNow === undefined) && entry.object.spec.concurrencyPolicy !== "Allow",
  );
  const ids = asking.flatMap(({ entry }) => entry.memory?.lastTaskId ?? []);
  const runs = ids.length === 0 ? [] : await records.runs(ids);
  const byId = new Map(ids.map((id, at) => [id, runs[at]]));
  return claimed.map((one) => {
    const { spec } = one.entry.object;
    const { lastTaskId, lastAt } = one.entry.memory ?? {};
    if (!asking.includes(one) || lastTaskId === undefined) return { ...one, overlap: "publish" } as const;
    const before = {
      run: byId.get(lastTaskId),
      now: deps.clock.now(),
      maxRunMs: spec.maxRunSeconds * 1_000,
      ...(lastAt === undefined ? {} : { at: lastAt }),
    };
    return { ...one, overlap: decideOverlap(spec.concurrencyPolicy, before) };
  });
}

async function settle(
  published: readonly (Claimed & { readonly outcomes: readonly RunOutcome[]; readonly trouble?: Trouble })[],
  records: RecordPort,
  deps: BatchDeps,
): Promise<void> {
  for (const { entry, plan: made, fence, outcomes, trouble } of published) {
    const memory = afterRuns(made, outcomes);
    // Until the store has it: a store that fails now must not make it published again by this operator.
    entry.unsaved = { fence, memory };
    if (trouble === undefined) delete entry.trouble;
    else entry.trouble = trouble;
    if (outcomes.includes("failed")) entry.at = deps.clock.now() + (trouble?.reason === "BrokerUnreachable" ? AWAY_MS : FAILED_MS);
    const forbidden = outcomes.filter((outcome) => outcome === "left-out").length;
    if (forbidden > 0) deps.onMissed(entry, forbidden, "forbidden");
    const late = memory.missed - (entry.memory?.missed ?? 0) - forbidden;
    if (late > 0) deps.onMissed(entry, late, "late");
  }
  await settleUnsaved(
    published.map(({ entry }) => entry),
    records,
  );
}

function conclude(entry: Entry, memory: Memory, saved: boolean): void {
  delete entry.unsaved;
  if (saved) entry.memory = { ...memory, stored: String(memory.cursor) };
  else {
    delete entry.memory; // Somebody else went on from here: what stands there counts.
    entry.at = 0;
  }
}

const uidOf = ({ object }: Entry): string => object.metadata.uid ?? "";

import type { KubePort } from "../adapters/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import type { Claim } from "./claim.ts";
import type { Actual, Settled } from "./diff.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import type { TopologyMetrics } from "./metrics.ts";
import type { Migrations } from "./migration.ts";
import type { Owners } from "./owners.ts";
import type { Refusals } from "./refusals.ts";
import type { Repairs } from "./repairs.ts";
import type { Reporter } from "./reporter.ts";
import { refusal } from "./say.ts";
import { isUnread, type Unread } from "./slice.ts";
import { holdOf } from "./standstill.ts";
import { sync } from "./sync.ts";
import type { Unproven } from "./unproven.ts";
import { verdictOf } from "./verdicts.ts";
import { isOlder } from "./versions.ts";

/** Status writes that run side by side. More are no faster with an API server on two cores, and each takes longer. */
const REPORTS = 8;
/** Objects of which one pass says that they are Ready: what changes meanwhile waits no longer than these take. */
const READY_UP_TO = 500;
/** When our finalizer could not be taken back from an object that changed meanwhile, ms. */
const GIVE_BACK_MS = 100;

export type Said = readonly [member: Member, condition: ConditionInput, plan?: readonly string[] | undefined];

/** Writes what is said of each. Resolves with after how many ms some of it is to be said again. */
export type Report = (said: readonly Said[]) => Promise<readonly number[]>;

/** @param signal ends it between two writes; it rejects with the reason then */
export function createReport(reporter: Reporter, repairs: Repairs, owners: Owners, signal: AbortSignal): Report {
  return async (said) => {
    const again: number[] = [];
    const say = async ([member, condition, plan]: Said): Promise<void> => {
      const fields = { repairs: repairs.count(member), plan, owned: owners.mark(member.object) };
      const wait = await reporter.report(member.resource, member.object, condition, fields);
      if (wait !== undefined) again.push(wait);
    };
    await inParallel(said, REPORTS, say, signal);
    return again;
  };
}

interface RoundInput {
  readonly session: Session;
  /** Objects that are not being deleted; those that somebody waits for first. */
  readonly members: readonly Member[];
  readonly rivals: readonly Claim[];
  /** Somebody waits for these. */
  readonly urgent: (member: Member) => boolean;
  /** Beside a round over everything: the broker is asked about these members alone. */
  readonly beside: boolean;
}

export interface RoundOptions {
  readonly kube: Pick<KubePort, "patch">;
  readonly clock: Clock;
  readonly metrics: TopologyMetrics;
  readonly refusals: Refusals;
  readonly repairs: Repairs;
  readonly migrations: Migrations;
  readonly owners: Owners;
  readonly reporter: Reporter;
  readonly report: Report;
  readonly unproven: Unproven;
  readonly signal: AbortSignal;
}

/** What is known of a connection's objects. A member is another one as soon as its object changes. */
interface Remembered {
  /** What was equal. */
  readonly settled: Settled;
  /** Of whom it was said. */
  readonly told: WeakSet<Member>;
  /** What was declared since the last look at everything, which was this one. */
  unread: { readonly since: Actual; readonly members: Unread };
}

/**
 * Brings members in line and says how each of them stands. Resolves with after how many ms to look again, and whether much is missing still.
 * Throws `BrokerError` when the broker is lost, `KubeError` when the API server is.
 */
export type Round = (input: RoundInput) => Promise<{ readonly again: readonly number[]; readonly sliced: boolean }>;

export function createRound(options: RoundOptions): Round {
  const { kube, clock, metrics, refusals, repairs, migrations, owners, reporter, report, unproven, signal } = options;
  const connections = new WeakMap<Session["picture"], Remembered>();
  const remembered = ({ picture: { actual }, picture }: Session): Remembered => {
    const since = { since: actual, members: new Map() };
    const known = connections.get(picture) ?? { settled: new WeakMap(), told: new WeakSet(), unread: since };
    if (known.unread.since !== actual) known.unread = since;
    connections.set(picture, known);
    return known;
  };

  return async ({ session, members, rivals, urgent, beside }) => {
    const { settled, told, unread } = remembered(session);
    const started = clock.elapsed();
    const { version } = session.facts;
    const tooNew = ({ needs }: Member): boolean => needs !== undefined && isOlder(version, needs.version);
    const held = (one: Member) =>
      holdOf(one.object) !== undefined || one.lacking !== undefined || tooNew(one) || refusals.held(one) !== undefined;
    const result = await sync(kube, { session, members, rivals, held, settled, unread: unread.members, urgent, unproven, signal, beside });
    const { members: unreadStill } = remembered(session).unread;
    metrics.synced(result.done, (clock.elapsed() - started) / 1_000);
    if (result.done.size > result.failures.size) refusals.retryMissing();
    const again: number[] = result.more ? [5] : [];
    // Before it is said of any that it differs: whoever reads that may delete it at once.
    if (await unproven.settle(members, result.outcomes, session.picture.actual)) again.push(GIVE_BACK_MS);
    const migrating = await migrations(
      session,
      members.filter((one) => !tooNew(one)),
      result.outcomes,
    );
    const said: Said[] = [];
    const ready: Said[] = [];
    for (const member of members) {
      const { uid } = member.claim.owner;
      if (result.outcomes.get(uid)?.state === "in-sync" && !held(member)) owners.took(uid);
      const progress = migrating.get(uid);
      if (progress !== undefined) {
        again.push(progress.againInMs);
        said.push([member, progress.condition]);
        continue;
      }
      if (tooNew(member) && holdOf(member.object) === undefined) {
        const { what = "", version: since = "" } = member.needs ?? {};
        said.push([member, refusal("BrokerTooOld", `${what} needs RabbitMQ ${since}, and this one is ${version}`)]);
        continue;
      }
      if (isUnread(unreadStill, member)) {
        repairs.done(member, result.done.get(uid) ?? [], false);
        // Nothing is left to declare, as where the rest went away: they are read back now.
        if (!result.sliced) again.push(0);
        continue;
      }
      const inSync = result.outcomes.get(uid)?.state === "in-sync";
      if (inSync && told.has(member) && !result.done.has(uid) && reporter.stands(member.object)) continue;
      const { condition, plan, againInMs } = verdictOf(member, result, { session, refusals, repairs });
      if (againInMs !== undefined) again.push(againInMs);
      if (condition === undefined) continue;
      const waitedFor = urgent(member) || result.done.has(uid);
      (condition.status === "True" && !waitedFor ? ready : said).push([member, condition, plan]);
    }
    // The broker comes first: while much is missing on it, writing to each that it is Ready now would keep the rest waiting.
    const [now, later] = result.sliced ? [[], ready] : [ready.slice(0, READY_UP_TO), ready.slice(READY_UP_TO)];
    if (later.length > 0) again.push(0);
    const all = [...said, ...now];
    again.push(...(await report(all)));
    for (const [member, condition] of all) {
      if (condition.status === "True" && result.outcomes.get(member.claim.owner.uid)?.state === "in-sync") told.add(member);
    }
    return { again, sliced: result.sliced };
  };
}

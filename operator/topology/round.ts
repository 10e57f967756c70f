import type { KubePort } from "../adapters/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import type { Claim } from "./claim.ts";
import type { Settled } from "./diff.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import type { TopologyMetrics } from "./metrics.ts";
import type { Migrations } from "./migration.ts";
import type { Refusals } from "./refusals.ts";
import type { Repairs } from "./repairs.ts";
import type { Reporter } from "./reporter.ts";
import { refusal } from "./say.ts";
import { holdOf } from "./standstill.ts";
import { sync } from "./sync.ts";
import { verdictOf } from "./verdicts.ts";
import { isOlder } from "./versions.ts";

/** Status writes that run side by side. */
const REPORTS = 32;

export type Said = readonly [member: Member, condition: ConditionInput, plan?: readonly string[] | undefined];

/** Writes what is said of each. Resolves with after how many ms some of it is to be said again. */
export type Report = (said: readonly Said[]) => Promise<readonly number[]>;

export function createReport(reporter: Reporter, repairs: Repairs): Report {
  return async (said) => {
    const again: number[] = [];
    await inParallel(said, REPORTS, async ([member, condition, plan]) => {
      const wait = await reporter.report(member.resource, member.object, condition, { repairs: repairs.count(member), plan });
      if (wait !== undefined) again.push(wait);
    });
    return again;
  };
}

interface RoundInput {
  readonly session: Session;
  /** Objects that are not being deleted; those that somebody waits for first. */
  readonly members: readonly Member[];
  readonly rivals: readonly Claim[];
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
  readonly reporter: Reporter;
  readonly report: Report;
}

/**
 * Brings members in line and says how each of them stands. Resolves with after how many ms to look again.
 * Throws `BrokerError` when the broker is lost, `KubeError` when the API server is.
 */
export type Round = (input: RoundInput) => Promise<readonly number[]>;

export function createRound({ kube, clock, metrics, refusals, repairs, migrations, reporter, report }: RoundOptions): Round {
  /** Of each connection: what was equal, and of whom it has been said. A member is another one as soon as its object changes. */
  const remembered = new WeakMap<Session["picture"], { readonly settled: Settled; readonly told: WeakSet<Member> }>();

  return async ({ session, members, rivals, beside }) => {
    const { settled, told } = remembered.get(session.picture) ?? { settled: new WeakMap(), told: new WeakSet() };
    remembered.set(session.picture, { settled, told });
    const started = clock.elapsed();
    const { version } = session.facts;
    const tooNew = ({ needs }: Member): boolean => needs !== undefined && isOlder(version, needs.version);
    const held = (one: Member) =>
      holdOf(one.object) !== undefined || one.lacking !== undefined || tooNew(one) || refusals.held(one) !== undefined;
    const result = await sync(kube, { session, members, rivals, held, settled, beside });
    metrics.synced(result.done, (clock.elapsed() - started) / 1_000);
    if (result.done.size > result.failures.size) refusals.retryMissing();
    const again: number[] = result.more ? [5] : [];
    const migrating = await migrations(
      session,
      members.filter((one) => !tooNew(one)),
      result.outcomes,
    );
    const said: Said[] = [];
    for (const member of members) {
      const { uid } = member.claim.owner;
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
      const inSync = result.outcomes.get(uid)?.state === "in-sync";
      if (inSync && told.has(member) && !result.done.has(uid) && reporter.stands(member.object)) continue;
      const { condition, plan, againInMs } = verdictOf(member, result, { session, refusals, repairs });
      if (againInMs !== undefined) again.push(againInMs);
      if (condition === undefined) continue;
      if (inSync && condition.status === "True") told.add(member);
      said.push([member, condition, plan]);
    }
    return [...again, ...(await report(said))];
  };
}

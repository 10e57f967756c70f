import { BrokerError, type KubePort, partOf, type Resource } from "../adapters/ports.ts";
import type { Broker } from "../kinds/broker/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import { addFinalizer, isHeld, removeFinalizer } from "../runtime/finalizer.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import { isKubeError } from "../runtime/kube-error.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import { isDeleting, type ObjectKey } from "../runtime/object.ts";
import { backoffMs } from "../runtime/queue/backoff.ts";
import type { EventRecorder } from "../runtime/truth/events.ts";
import { unlessAborted } from "../runtime/unless-aborted.ts";
import { type Beside, createBeside } from "./beside.ts";
import { createBrokerReport } from "./broker-report.ts";
import type { Claim } from "./claim.ts";
import { createFigures } from "./figures.ts";
import type { Link, LinkState, Session } from "./link.ts";
import type { Member } from "./members.ts";
import type { TopologyMetrics } from "./metrics.ts";
import { createMigrations } from "./migration.ts";
import { createOwners } from "./owners.ts";
import { createRefusals } from "./refusals.ts";
import { release } from "./release.ts";
import { createRepairs } from "./repairs.ts";
import type { Reporter } from "./reporter.ts";
import { createReport, createRound } from "./round.ts";
import { refusal, refusedOperation } from "./say.ts";
import { sessionFor, situationOf, stays, troubleCondition, wasReady } from "./situation.ts";
import { farewellPlan, holdCondition, holdOf, mayUse, notAllowed } from "./standstill.ts";
import { createUnproven } from "./unproven.ts";

/** How often everything is looked at again, ms: where changes are told as they happen, and where they are not. */
const POLL_WITH_EVENTS_MS = 30_000;
const POLL_MS = 12_000;
/** What was in sync is believed for so long after its broker was lost, ms: a blip is not worth a write per object. */
const GRACE_MS = 5_000;
/** Objects that are let go side by side. */
const FAREWELLS = 16;
/** Of so many that changed it is said that somebody waits for each of them: they come first. */
const URGENT = 32;
/** While much is missing on the broker, all of it is looked at this often, ms: the list is long. */
const SLICED_LOOK_MS = 5_000;

export interface ActorOptions {
  readonly key: ObjectKey;
  readonly brokerResource: Resource;
  readonly broker: () => Broker | undefined;
  readonly members: () => readonly Member[];
  readonly member: (id: string) => Member | undefined;
  /** Members of other Broker objects that lead to the same vhost. */
  readonly rivals: () => readonly Member[];
  readonly link: Link;
  readonly kube: Pick<KubePort, "patch">;
  readonly reporter: Reporter;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: TopologyMetrics;
}

/** Keeps one broker as its Broker object's members want it. */
export interface Actor extends Disposable {
  /** One pass over everything. `fresh` are the members that changed since the last. Resolves after how many ms the next is due. Never throws. */
  runOnce(fresh: ReadonlySet<string>): Promise<number>;
  /** While it runs: takes what is new, see `Beside`. */
  readonly beside: Beside["take"];
  /** Ends what runs as soon as the requests that are under way have been answered. */
  [Symbol.dispose](): void;
}

export function createActor(options: ActorOptions): Actor {
  const { key, clock, log, kube, reporter, events, metrics, link } = options;
  const refusals = createRefusals(clock, options.random);
  const repairs = createRepairs(events, metrics);
  let failures = 0;
  /** Whether changes were told as they happened, while the broker was there. */
  let heard = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** What the Broker's status was made of last. */
  let shown: Session | undefined;

  const migrations = createMigrations(clock);
  const owners = createOwners();
  const stop = new AbortController();
  const { signal } = stop;
  const unproven = createUnproven(kube);
  const report = createReport(reporter, repairs, owners, signal);
  const round = createRound({ kube, clock, metrics, refusals, repairs, migrations, owners, reporter, report, unproven, signal });
  const beside = createBeside({ ...options, round, admitted: (member) => mayUse(options.broker(), key, member), signal });
  /** Whether the last pass left much to do, and since when the picture has not been looked at because of it. */
  let sliced: number | undefined;

  const forget = (uid: string): void => {
    reporter.forget(uid);
    repairs.forget(uid);
    unproven.forget(uid);
    owners.forget(uid);
  };

  const reportBroker = createBrokerReport({ reporter, owners, link, clock, resource: options.brokerResource });
  const figures = createFigures(reporter, clock, log, signal);

  /** Objects that are being deleted. Returns when to look again. */
  const letGo = async (broker: Broker | undefined, state: LinkState | undefined, all: readonly Member[]): Promise<readonly number[]> => {
    const leaving = all.filter(({ object }) => isDeleting(object));
    if (leaving.length === 0) return [];
    const live = [...all, ...options.rivals()].filter(stays);
    const session = sessionFor(state);
    const again: number[] = [];
    const letOneGo = async (member: Member): Promise<void> => {
      const owned = owners.owns(member.object);
      const hold = owned ? holdOf(member.object) : undefined;
      if (hold !== undefined) {
        const plan = farewellPlan(member);
        again.push(...(await report([[member, holdCondition(hold, plan, refusal("Deleting", "held back")), plan]])));
        return;
      }
      const held = refusals.held(member);
      if (held !== undefined && session !== undefined) return void again.push(held.forMs);
      if (session !== undefined && unproven.metOthers(member, session.picture.actual)) {
        await removeFinalizer(kube, member.resource, member.object);
        return forget(member.claim.owner.uid);
      }
      const situation = situationOf(broker, state, member, clock.now());
      const result = await release({ kube, events }, { member, owned, live, leaving, session, situation, migrations });
      if (result.done) return forget(member.claim.owner.uid);
      if (result.againInMs !== undefined) again.push(result.againInMs);
      if (result.condition !== undefined) return void again.push(...(await report([[member, result.condition]])));
      if (result.refused !== undefined) {
        again.push(refusals.refused(member, result.refused), ...(await report([[member, refusedOperation(result.refused)]])));
      } else if (state?.up === false) {
        again.push(...(await report([[member, troubleCondition(key, state.reason, state.message)]])));
      }
    };
    await inParallel(leaving, FAREWELLS, letOneGo, signal);
    return again;
  };

  /** Claims of others than those that are brought in line. */
  const rivalsOf = (all: readonly Member[]): readonly Claim[] => {
    const leaving = all.filter(({ object }) => isDeleting(object) && isHeld(object));
    return [...leaving, ...options.rivals()].map(({ claim }) => claim);
  };

  const withoutBroker = async (all: readonly Member[]): Promise<readonly number[]> => {
    await link.drop();
    const again = await letGo(undefined, undefined, all);
    const [namespace, name] = key.split("/");
    const condition = refusal("BrokerMissing", `Broker ${name} does not exist in namespace ${namespace}`);
    return [...again, ...(await report(all.filter(stays).map((member) => [member, condition])))];
  };

  const withoutConnection = async (
    broker: Broker,
    state: LinkState & { up: false },
    all: readonly Member[],
  ): Promise<readonly number[]> => {
    shown = undefined;
    const again = [state.againInMs, ...(await reportBroker(broker, state, all)), ...(await letGo(broker, state, all))];
    // Where nobody tells of changes, what was seen counts until it would have been looked at again, and no longer.
    const seenFor = heard ? Number.POSITIVE_INFINITY : lookedAt + POLL_MS - clock.elapsed();
    const graceLeft = Math.min(state.since + GRACE_MS - clock.now(), seenFor);
    const hit = all.filter(stays).filter(({ object }) => graceLeft <= 0 || !wasReady(object));
    const condition = troubleCondition(key, state.reason, state.message);
    again.push(...(await report(hit.map((member) => [member, condition]))));
    return graceLeft > 0 ? [...again, graceLeft] : again;
  };

  const withConnection = async (
    broker: Broker,
    session: Session,
    all: readonly Member[],
    fresh: ReadonlySet<string>,
  ): Promise<readonly number[]> => {
    const { picture } = session;
    heard = session.events;
    const open = () => beside.open(session, all, () => [...all.filter(stays).map(({ claim }) => claim), ...rivalsOf(all)]);
    // While it is looked at again what is known of it is good enough for new objects.
    if (picture.looked) open();
    const poll = session.events ? POLL_WITH_EVENTS_MS : POLL_MS;
    const started = clock.elapsed();
    if (started - lookedAt >= poll) picture.doubt();
    picture.follow(all.flatMap(({ claim }) => claim.targets.map(partOf)));
    const look = sliced === undefined || started - sliced >= SLICED_LOOK_MS;
    if (picture.doubtful && look) await unlessAborted(signal, picture.refresh());
    open();
    if (look && started - lookedAt >= poll) lookedAt = started;
    const state = { up: true, session } as const;
    // Another answer of the broker is told before what may take long; counts once, after it.
    const again = [...(session === shown ? [] : await reportBroker(broker, state, all)), ...(await letGo(broker, state, all))];
    shown = session;
    const staying = all.filter(stays);
    const first = fresh.size === 0 ? [] : staying.filter(({ id }) => fresh.has(id));
    const members = first.length === 0 ? staying : [...first, ...staying.filter(({ id }) => !fresh.has(id))];
    const urgent = ({ id }: Member): boolean => fresh.size <= URGENT && fresh.has(id);
    const result = await round({ session, members, rivals: rivalsOf(all), urgent, beside: false });
    sliced = result.sliced ? (look ? started : sliced) : undefined;
    again.push(...result.again, ...(result.sliced ? [] : await figures(session, staying)));
    again.push(...(await reportBroker(broker, state, all)));
    return [...again, poll - (clock.elapsed() - lookedAt)];
  };

  const pass = async (fresh: ReadonlySet<string>): Promise<readonly number[]> => {
    const broker = options.broker();
    const everyone = options.members();
    const others = everyone.filter((member) => !mayUse(broker, key, member));
    const all = others.length === 0 ? everyone : everyone.filter((member) => mayUse(broker, key, member));
    const refused = [
      ...(await letGo(undefined, undefined, others)),
      ...(await report(others.filter(stays).map((member) => [member, notAllowed(key, member)]))),
    ];
    if (broker === undefined) return [...refused, ...(await withoutBroker(all))];
    await addFinalizer(kube, options.brokerResource, broker);
    const state = await link.ensure(broker);
    const again = state.up ? await withConnection(broker, state.session, all, fresh) : await withoutConnection(broker, state, all);
    // Its login is needed until the last object that uses it is cleaned up.
    if (isDeleting(broker) && !all.some(({ object }) => owners.owns(object))) await removeFinalizer(kube, options.brokerResource, broker);
    return [...refused, ...again];
  };

  return {
    async runOnce(fresh) {
      beside.begin();
      try {
        const again = await pass(fresh);
        failures = 0;
        return Math.max(0, Math.min(...again, POLL_WITH_EVENTS_MS));
      } catch (error) {
        sliced = undefined;
        if (signal.aborted) return POLL_MS;
        if (error instanceof BrokerError) {
          const { againInMs } = link.lost(error);
          log.warn({ broker: key, failure: error.failure, error: error.message }, "lost the broker");
          return error.passing ? Math.min(againInMs, 100) : againInMs;
        }
        if (!isKubeError(error, 409)) log.warn({ broker: key, ...errorFields(error) }, "cannot sync the broker, trying again");
        return backoffMs({ baseMs: 50, capMs: 10_000 }, failures++, options.random());
      } finally {
        beside.end();
      }
    },
    beside: (fresh) => beside.take(fresh),
    [Symbol.dispose]: () => stop.abort(),
  };
}

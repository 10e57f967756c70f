import { BrokerError, type BrokerObject, type TopologyPort } from "../adapters/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import type { Outcome } from "./diff.ts";
import { digestOf, identityOf, targetKey } from "./identity.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import { describeStep, type Found, holdingName, isHolding, type MigrationStep, migrationStep } from "./migrate.ts";
import { refusal, refusedOperation } from "./say.ts";
import { createSettling, type Settling } from "./settling.ts";
import { holdOf } from "./standstill.ts";

/** Messages of one step: so long does the pass take for it. */
const MOVE_UP_TO = 2_000;
const WAITING_MS = 1_000;
const PARALLEL = 4;

type Queue = BrokerObject & { readonly type: "queue" };
type Binding = BrokerObject & { readonly type: "binding" };

export interface Progress {
  readonly condition: ConditionInput;
  readonly againInMs: number;
}

/**
 * Does the next step for each queue that is to be made anew with other properties, or was when the operator died. By the owner's uid, what to say of it
 * instead of anything else. Throws `BrokerError` when the broker is lost.
 */
export type Migrations = (
  session: Session,
  members: readonly Member[],
  outcomes: ReadonlyMap<string, Outcome>,
) => Promise<ReadonlyMap<string, Progress>>;

export function createMigrations(clock: Clock): Migrations {
  const settlingOf = createSettling(clock);

  const step = async ({ port, picture }: Session, member: Member, wanted: Queue): Promise<Progress | undefined> => {
    const [queue, holding] = [await found(port, wanted.name), await found(port, holdingName(wanted.name))];
    const { claim } = member;
    const discarded = (binding: Binding) => claim.owned.has(digestOf(identityOf(binding))) && !claim.wanted.has(identityOf(binding));
    const next = migrationStep({ wanted, queue, holding, discarded });
    const names = namesOf(wanted);
    const waits = untilRemoval(settlingOf(picture), names, next);
    if (next === undefined) return undefined;
    const moved = waits > 0 ? 0 : await perform(port, next);
    for (const name of names) picture.doubt({ type: "queue", name });
    // What is unacked elsewhere cannot be moved: whoever has it acks it, or gives it back.
    const stuck = next.do === "move" && moved === 0;
    const condition = refusal("Migrating", `${describeStep(next)}${stuck ? "; consumers have not acked them yet" : ""}`);
    return { condition, againInMs: waits > 0 || stuck ? WAITING_MS : 0 };
  };

  return async (session, members, outcomes) => {
    const { actual } = session.picture;
    const anyHolding = [...actual.keys()].some((place) => place.startsWith("queue/") && isHolding(place.slice("queue/".length)));
    const done = new Map<string, Progress>();
    const settling = settlingOf(session.picture);
    const candidates = members.flatMap((member): readonly (readonly [Member, Queue])[] => {
      const outcome = outcomes.get(member.claim.owner.uid);
      const differs = outcome?.state === "differs" && outcome.object.type === "queue" && member.object.spec.updatePolicy === "Migrate";
      if ((!differs && !anyHolding && settling.idle) || outcome?.state === "conflict") return [];
      const wanted = [...member.claim.wanted.values()].find((object): object is Queue => object.type === "queue");
      if (wanted === undefined || wanted.kind === "stream") return [];
      const begun = actual.has(targetKey({ type: "queue", name: holdingName(wanted.name) }));
      if (holdOf(member.object) === undefined && (differs || begun)) return [[member, wanted]];
      // Nobody looks at it from here on: what was seen of it does not count when it goes on.
      for (const name of namesOf(wanted)) settling.forget(name);
      return [];
    });
    await inParallel(candidates, PARALLEL, async ([member, wanted]) => {
      const { uid } = member.claim.owner;
      try {
        const progress = await step(session, member, wanted);
        if (progress !== undefined) done.set(uid, progress);
      } catch (error) {
        if (!(error instanceof BrokerError) || error.failure === "unreachable") throw error;
        done.set(uid, { condition: refusedOperation(error), againInMs: 2 * WAITING_MS });
      }
    });
    return done;
  };
}

const namesOf = ({ name }: Queue): readonly string[] => [name, holdingName(name)];

/** How long the removal waits, ms. What is removed now, or by no means next, begins anew when it is its turn again. */
function untilRemoval(settling: Settling, names: readonly string[], next: MigrationStep | undefined): number {
  const leaving = next?.do === "delete" && next.object.kind !== "classic" ? next.object.name : undefined;
  const waits = leaving === undefined ? 0 : settling.seenEmpty(leaving);
  for (const name of names) if (name !== leaving || waits === 0) settling.forget(name);
  return waits;
}

async function found(port: TopologyPort, name: string): Promise<Found | undefined> {
  const objects = await port.read({ type: "queue", name });
  const object = objects.find((one): one is Queue => one.type === "queue");
  if (object === undefined) return undefined;
  const bindings = objects.filter((one): one is Binding => one.type === "binding");
  return { object, bindings, messages: await port.messages(name) };
}

/** Resolves with how many messages it moved. */
async function perform(port: TopologyPort, step: MigrationStep): Promise<number> {
  switch (step.do) {
    case "declare":
      await port.declare(step.object);
      return 0;
    case "bind":
      for (const binding of step.bindings) await port.declare(binding);
      return 0;
    case "unbind":
      for (const binding of step.bindings) await port.remove(binding);
      return 0;
    case "move":
      return port.move(step.from.name, step.to.name, MOVE_UP_TO);
    case "delete":
      await port.remove(step.object, { ifDrained: true });
      return 0;
  }
}

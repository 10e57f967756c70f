import type { Broker } from "../kinds/broker/schema.ts";
import type { TopologyObject } from "../kinds/topology-kind.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import { thingsOf } from "./claim.ts";
import { type Operation, type Outcome, operationsIn } from "./diff.ts";
import { describeObject } from "./identity.ts";
import type { Member } from "./members.ts";
import { refusal } from "./say.ts";

const PAUSED = "longshore.dev/paused";
const PLAN = "longshore.dev/plan";

/** plan: what would be done is written into the status. paused: nothing is done until the annotation goes. Both hold a deletion back, too. */
type Hold = "plan" | "paused";

/** Any value but `false` sets it: `kubectl annotate queue orders longshore.dev/paused=` is enough. */
export function holdOf({ metadata }: TopologyObject): Hold | undefined {
  const set = (name: string): boolean => (metadata.annotations?.[name] ?? "false") !== "false";
  return set(PLAN) ? "plan" : set(PAUSED) ? "paused" : undefined;
}

/** Whether objects of this namespace may use the broker: its own, and those that it names. */
export const mayUse = (broker: Broker | undefined, key: ObjectKey, { object: { metadata } }: Member): boolean =>
  key.startsWith(`${metadata.namespace ?? ""}/`) ||
  broker?.spec.allowedNamespaces.some((name) => name === "*" || name === metadata.namespace) === true;

export function notAllowed(key: ObjectKey, { object: { metadata } }: Member): ConditionInput {
  const [namespace, name] = key.split("/");
  return refusal("NamespaceNotAllowed", `Broker ${name} in namespace ${namespace} does not let namespace ${metadata.namespace} use it`);
}

/** What would be done, one line each: `declare queue orders`. */
export const planOf = (outcome: Outcome | undefined): readonly string[] => operationsIn(outcome).map(lineOf);

const lineOf = ({ op, object }: Operation): string => `${op} ${describeObject(object)}`;

/** What would be done when the object goes: bindings go with their ends, where it is more than bindings. */
export function farewellPlan({ object, claim }: Member): readonly string[] {
  const { deletionPolicy } = object.spec;
  return thingsOf(claim).map((one) =>
    deletionPolicy === "Retain"
      ? `leave ${describeObject(one)} on the broker`
      : `remove ${describeObject(one)}${deletionPolicy === "DeleteIfEmpty" ? " when it is empty" : ""}`,
  );
}

/** `Ready` of an object for which nothing is done. Where the broker matches already, that is what counts. */
export function holdCondition(hold: Hold, plan: readonly string[], settled: ConditionInput): ConditionInput {
  if (plan.length === 0) return settled;
  const what = `${plan.slice(0, 5).join(", ")}${plan.length > 5 ? `, and ${plan.length - 5} more` : ""}`;
  return hold === "plan" ? refusal("Planned", `would ${what}`) : refusal("Paused", `held back: ${what}`);
}

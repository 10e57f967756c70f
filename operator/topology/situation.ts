import type { Broker } from "../kinds/broker/schema.ts";
import type { TopologyObject } from "../kinds/topology-kind.ts";
import { isDeleting, type ObjectKey } from "../runtime/object.ts";
import { type ConditionInput, findCondition } from "../runtime/truth/conditions.ts";
import type { Leaving, Refused } from "./farewell.ts";
import type { LinkState, Session } from "./link.ts";
import type { Member } from "./members.ts";
import { refusal } from "./say.ts";

export const stays = ({ object }: Member): boolean => !isDeleting(object);

/** Whether the status says that the broker matches the spec as it is now: then a difference is somebody else's doing. */
export function wasReady({ metadata, status }: TopologyObject): boolean {
  const ready = findCondition(status?.conditions, "Ready");
  return ready?.status === "True" && ready.observedGeneration === metadata.generation;
}

/** The session to clean up with: the present one, or the last one while only the Secret is gone. */
export const sessionFor = (state: LinkState | undefined): Session | undefined =>
  state === undefined ? undefined : state.up ? state.session : state.last;

/** Whether an object, as `Queue/namespace/name`, stands for something beside vhosts. */
export const isServerWide = (id: string): boolean => /^(Vhost|User)\//.test(id);

type Situation = Pick<Leaving, "broker"> & Omit<Refused, "notEmpty">;

/** @param now wall clock, ms */
export function situationOf(broker: Broker | undefined, state: LinkState | undefined, { id, object }: Member, now: number): Situation {
  if (broker === undefined || state === undefined) {
    return { broker: "gone", unreachablePolicy: "Orphan", brokerDeleting: true, timeoutMs: 0, waitedMs: 0, deletedMs: 0 };
  }
  const { unreachablePolicy, unreachableTimeoutSeconds } = broker.spec;
  const secretGone = !state.up && (state.reason === "SecretMissing" || state.reason === "SecretKeyMissing");
  const vanished = !state.up && state.vhostGone === true && !isServerWide(id);
  const reachable = sessionFor(state) !== undefined;
  const since = state.up ? now : Math.max(state.since, Date.parse(object.metadata.deletionTimestamp ?? ""));
  return {
    broker: reachable ? "reachable" : vanished ? "vanished" : secretGone ? "gone" : "unreachable",
    unreachablePolicy,
    brokerDeleting: isDeleting(broker),
    timeoutMs: unreachableTimeoutSeconds * 1_000,
    waitedMs: now - since,
    deletedMs: now - Date.parse(object.metadata.deletionTimestamp ?? "") || 0,
  };
}

/** What a Broker's trouble means for what it holds: nobody knows how it stands there. */
export const troubleCondition = (broker: ObjectKey, reason: string, message: string): ConditionInput =>
  refusal("BrokerNotReady", `Broker ${broker}: ${reason}: ${message}`, "Unknown");

/** @param users ids of the objects that own something there */
export function brokerCondition(broker: Broker, state: LinkState, users: readonly string[]): ConditionInput {
  if (isDeleting(broker) && users.length > 0) {
    const shown = users.slice(0, 5).join(", ");
    return refusal(
      "BrokerInUse",
      `${users.length} object${users.length === 1 ? " uses" : "s use"} it: ${shown}${users.length > 5 ? ", …" : ""}`,
    );
  }
  if (!state.up) return refusal(state.reason, state.message);
  const { facts, endpoint } = state.session;
  const alarms = facts.alarms.length === 0 ? "" : `; it blocks publishers: alarm of ${facts.alarms.join(", ")}`;
  return { status: "True", reason: "Ready", message: `RabbitMQ ${facts.version} at ${endpoint.display}${alarms}` };
}

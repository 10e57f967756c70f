import type { BrokerError, BrokerFailure, BrokerObject } from "../adapters/ports.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import { REASONS, type Reason } from "../runtime/truth/reasons.ts";
import type { Claim } from "./claim.ts";
import type { Outcome } from "./diff.ts";
import { describeObject } from "./identity.ts";

/** `Ready` is not True: what is the matter, then what to do about it. */
export const refusal = (reason: Reason, message: string, status: "False" | "Unknown" = "False"): ConditionInput => ({
  status,
  reason,
  message: `${message.replace(/\.$/, "")}. ${REASONS[reason].advice}`,
});

/** Why a Broker is not ready. The management API's own refusals have reasons of their own: they need another remedy. */
export function reasonOfBroker({ failure, via }: BrokerError): Reason {
  if (failure === "login") return "BrokerRefusedLogin";
  if (failure === "vhost") return "VhostMissing";
  if (failure === "forbidden") return "NotPermitted";
  return via === "management" ? "ManagementUnreachable" : "BrokerUnreachable";
}

const OF_OBJECT: Readonly<Record<BrokerFailure, Reason>> = {
  unreachable: "BrokerNotReady",
  unavailable: "BrokerNotReady",
  login: "NotPermitted",
  vhost: "BrokerNotReady",
  forbidden: "NotPermitted",
  missing: "ExchangeMissing",
  differs: "ArgumentsDiffer",
  "not-empty": "QueueNotEmpty",
  invalid: "BrokerRefuses",
};

/** Why an operation for an object did not work. */
export function refusedOperation(error: BrokerError): ConditionInput {
  const noUser = error.failure === "missing" && error.message.includes("user_not_found");
  return refusal(noUser ? "UserMissing" : OF_OBJECT[error.failure], error.message);
}

/** Arguments that a policy can set as well, by their names there without x- (rabbitmq.com/docs/policies). */
const BY_POLICY: ReadonlySet<string> = new Set([
  "alternate-exchange",
  ...["message-ttl", "expires", "max-length", "max-length-bytes", "overflow", "delivery-limit", "max-age", "queue-leader-locator"].map(
    (name) => `x-${name}`,
  ),
  ...["exchange", "routing-key", "strategy"].map((name) => `x-dead-letter-${name}`),
]);

/**
 * `Ready` of an object after what was read back from the broker. True only when nothing is missing and nothing differs.
 * @param display the vhost, as `host:port/vhost`
 */
export function readyCondition(outcome: Outcome, { wanted }: Claim, display: string): ConditionInput {
  switch (outcome.state) {
    case "in-sync":
      return { status: "True", reason: "Declared", message: `${summary([...wanted.values()])}, read back from ${display}` };
    case "changing": {
      const what = outcome.operations.slice(0, 1).map(({ op, object }) => `${op} ${describeObject(object)}`);
      return refusal("ReadingBack", `${display} does not show it yet: ${what.join()}`);
    }
    case "blocked": {
      const list = outcome.missing.map(({ type, name }) => `${type} ${name}`).join(", ");
      const reason = outcome.missing.some(({ type }) => type === "exchange") ? "ExchangeMissing" : "QueueMissing";
      return refusal(reason, `${display} has no ${list}, which a binding names`);
    }
    case "differs": {
      const list = outcome.differences.map(({ field, broker, spec }) => `${field}: the broker has ${broker}, the spec says ${spec}`);
      const settable = outcome.differences.every(({ field }) => BY_POLICY.has(field));
      const policy = settable ? ". A Policy without the argument in the spec can change it at any time" : "";
      return refusal(
        "ArgumentsDiffer",
        `${describeObject(outcome.object)} exists on ${display} and differs in ${list.join("; ")}${policy}`,
      );
    }
    case "conflict": {
      const { kind, namespace, name } = outcome.winner;
      return refusal(
        "Conflict",
        `${kind} ${namespace}/${name}, which is older, declares ${describeObject(outcome.object)} on ${display} already`,
      );
    }
  }
}

/** `queue orders and 1 binding`: the first by name, the others by type and number. */
function summary([first, ...others]: readonly BrokerObject[]): string {
  if (first === undefined) return "nothing";
  const counts = [...Map.groupBy(others, ({ type }) => type)].map(
    ([type, list]) => `${list.length} ${type}${list.length === 1 ? "" : "s"}`,
  );
  const also = [counts.slice(0, -1).join(", "), ...counts.slice(-1)].filter((text) => text !== "").join(" and ");
  if (also === "") return describeObject(first);
  return `${describeObject(first)}${counts.length === 1 ? " and" : ","} ${also}`;
}

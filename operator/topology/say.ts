import type { BrokerError, BrokerFailure } from "../adapters/ports.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import { REASONS, type Reason } from "../runtime/truth/reasons.ts";
import type { Claim, Outcome } from "./diff.ts";
import { describeObject } from "./identity.ts";

/** `Ready` is not True: what is the matter, then what to do about it. */
export const refusal = (reason: Reason, message: string, status: "False" | "Unknown" = "False"): ConditionInput => ({
  status,
  reason,
  message: `${message}. ${REASONS[reason].advice}`,
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
export const refusedOperation = (error: BrokerError): ConditionInput => refusal(OF_OBJECT[error.failure], error.message);

/**
 * `Ready` of an object after what was read back from the broker. True only when nothing is missing and nothing differs.
 * @param display the vhost, as `host:port/vhost`
 */
export function readyCondition(outcome: Outcome, { target, objects }: Claim, display: string): ConditionInput {
  switch (outcome.state) {
    case "in-sync": {
      const bindings = objects.length - 1;
      const also = bindings === 0 ? "" : ` and ${bindings} binding${bindings === 1 ? "" : "s"}`;
      return { status: "True", reason: "Declared", message: `${target.type} ${target.name}${also}, read back from ${display}` };
    }
    case "changing": {
      const [first] = outcome.operations;
      const what = first === undefined ? target.name : `${first.op} ${describeObject(first.object)}`;
      return refusal("ReadingBack", `${display} does not show it yet: ${what}`);
    }
    case "blocked":
      return refusal("ExchangeMissing", `${display} has no exchange ${outcome.missing.join(", ")}, which a binding names`);
    case "differs": {
      const list = outcome.differences.map(({ field, broker, spec }) => `${field}: the broker has ${broker}, the spec says ${spec}`);
      return refusal("ArgumentsDiffer", `${target.type} ${target.name} exists on ${display} and differs in ${list.join("; ")}`);
    }
    case "conflict": {
      const { kind, namespace, name } = outcome.winner;
      return refusal(
        "Conflict",
        `${kind} ${namespace}/${name}, which is older, declares ${target.type} ${target.name} on ${display} already`,
      );
    }
  }
}

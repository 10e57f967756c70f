import { BrokerError } from "../adapters/ports.ts";
import type { Schedule } from "../kinds/schedule/schema.ts";
import { errorFields } from "../runtime/log.ts";
import type { Trouble } from "./entry.ts";

/** What a failure of the broker means for a schedule. Never shows a login: a `BrokerError` holds none. */
export function publishTrouble(error: unknown, { spec }: Schedule): Trouble {
  const message = errorFields(error).error;
  if (!(error instanceof BrokerError)) return { reason: "Failed", message };
  if (error.passing) return { reason: "BrokerUnreachable", message };
  if (error.failure === "missing") return { reason: spec.exchange === undefined ? "QueueMissing" : "ExchangeMissing", message };
  if (error.failure === "forbidden") return { reason: "NotPermitted", message };
  return {
    reason: error.failure === "login" ? "BrokerRefusedLogin" : error.failure === "vhost" ? "VhostMissing" : "BrokerRefuses",
    message,
  };
}

/** What a failure of the store means. */
export function storeTrouble(error: unknown): Trouble {
  const failure = error instanceof Error && "failure" in error ? error.failure : undefined;
  const reason = failure === "StoreRefusedLogin" || failure === "StoreUnreachable" ? failure : "Failed";
  return { reason, message: errorFields(error).error };
}

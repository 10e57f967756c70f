import * as z from "zod";
import { BrokerError, type BrokerFailure } from "../ports.ts";
import { redacted } from "./errors.ts";

const errorSchema = z.object({ error: z.unknown().optional(), reason: z.unknown().optional() });

/** What the management API's refusals mean, first match first. The text is its `reason`; RabbitMQ 3.10 to 4.3 say it in these words. */
const ROWS: readonly (readonly [statuses: readonly number[], text: RegExp, failure: BrokerFailure])[] = [
  [[401, 403], /login failed|not_authorized|not_authorised$/i, "login"],
  [[401, 403], /./, "forbidden"],
  [[400], /not empty|in use/i, "not-empty"],
  [[400], /inequivalent arg/i, "differs"],
  [[400], /access to .* refused|operation not permitted/i, "forbidden"],
  [[400, 404], /no (exchange|queue|binding) |not[ _]found|no_such_/i, "missing"],
  [[404], /./, "missing"],
  [[405], /locked/i, "forbidden"],
  [[408, 429, 500, 502, 503, 504], /./, "unavailable"],
];

/** A refusal by the management API as an error, with the broker's own words. */
export function failureOf(status: number, body: string, doing: string, password: string): BrokerError {
  // RabbitMQ's own words have line breaks and columns.
  const reason = redacted(reasonOf(body).replaceAll(/\s+/g, " ").trim() || `HTTP ${status}`, password);
  const row = ROWS.find(([statuses, text]) => statuses.includes(status) && text.test(reason));
  return new BrokerError(row?.[2] ?? "invalid", "management", `${doing}: ${reason}`);
}

function reasonOf(body: string): string {
  try {
    const { reason, error } = errorSchema.parse(JSON.parse(body));
    const words = Array.isArray(reason) ? reason.filter((part) => typeof part === "string").join(" ") : reason;
    return [words, error].filter((part) => typeof part === "string" && part !== "").map(String)[0] ?? "";
  } catch {
    return body.replaceAll(/\s+/g, " ").slice(0, 200); // A proxy's page instead of RabbitMQ's JSON.
  }
}

/** Whether the broker's own handler of the request crashed: it answers 500 without a word. */
export const isCrash = (error: unknown): boolean =>
  error instanceof BrokerError && error.failure === "unavailable" && error.message.endsWith("HTTP 500");

/** What the call answers, undefined when there is no such thing. */
export async function orMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof BrokerError && error.failure === "missing") return undefined;
    throw error;
  }
}

import { BrokerError, type BrokerFailure } from "../ports.ts";

/** AMQP 0-9-1 reply codes that tell kinds of failure apart. Source: AMQP 0-9-1 specification, section 1.2. */
const FAILURES: ReadonlyMap<unknown, BrokerFailure> = new Map<unknown, BrokerFailure>([
  [403, "refused"],
  [404, "missing"],
  [405, "refused"],
  [406, "refused"],
  [530, "refused"],
  ["ENOTFOUND", "unreachable"],
  ["ECONNREFUSED", "unreachable"],
  ["ETIMEDOUT", "unreachable"],
  ["EAI_AGAIN", "unreachable"],
]);

/** Hides the password of every URL in a text. */
export const withoutPasswords = (text: string): string => text.replaceAll(/(\w+:\/\/[^:/@\s]*):[^@\s]*@/g, "$1:***@");

/**
 * One error of amqplib or the socket as a `BrokerError`. Never keeps the original as `cause` when its text held a password.
 * Handshake refusals carry no code in amqplib, only a text.
 */
export function brokerError(thrown: unknown, doing: string): BrokerError {
  if (thrown instanceof BrokerError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const denied = /ACCESS[_-]REFUSED|NOT_ALLOWED|403/.test(text);
  const failure = FAILURES.get(code) ?? (denied ? "refused" : "interrupted");
  const clean = withoutPasswords(text);
  return new BrokerError(failure, `${doing}: ${clean}`, clean === text ? { cause: thrown } : undefined);
}

/** The reply code of an error that closed a channel, if it has one. */
export const replyCode = (thrown: unknown): number | undefined => {
  const source = thrown instanceof BrokerError ? thrown.cause : thrown;
  return source instanceof Error && "code" in source && typeof source.code === "number" ? source.code : undefined;
};

import { BrokerError, type BrokerFailure } from "../ports.ts";

/** Reply codes of AMQP 0-9-1, section 1.2, and codes of Node's sockets. */
const BY_CODE: ReadonlyMap<unknown, BrokerFailure> = new Map<unknown, BrokerFailure>([
  [403, "forbidden"],
  [404, "missing"],
  [405, "forbidden"],
  [406, "differs"],
  [506, "unavailable"],
  [541, "unavailable"],
]);

/** What RabbitMQ says while a connection is being opened; amqplib hands it on as text without a code. */
const BY_TEXT: readonly (readonly [RegExp, BrokerFailure])[] = [
  [/ACCESS_REFUSED|ACCESS-REFUSED/, "login"],
  // amqplib does not say why the broker closed instead of opening: no such vhost, no access to it, or its connection limit.
  [/NOT_ALLOWED|Expected ConnectionOpenOk/, "vhost"],
];

/** The login of every URL in a text, and the passwords given, as `***`. */
export function redacted(text: string, ...passwords: readonly string[]): string {
  const urls = text.replaceAll(/(\w+:\/\/)[^\s/@]*@/g, "$1***@");
  return passwords.reduce((clean, password) => (password === "" ? clean : clean.replaceAll(password, "***")), urls);
}

/**
 * An error of amqplib or of a socket as a `BrokerError`; one that is a `BrokerError` already stays as it is.
 * Never keeps the original as `cause`: its text or its fields could hold the login.
 * @param doing what was tried, as `connect to host:5672/`
 */
export function amqpError(thrown: unknown, doing: string, password = ""): BrokerError {
  if (thrown instanceof BrokerError) return thrown;
  const text = redacted(describe(thrown), password);
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  const failure = BY_CODE.get(code) ?? BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? "unreachable";
  return new BrokerError(failure, "amqp", `cannot ${doing}: ${text}`);
}

/** Node puts several failed addresses into an AggregateError without a message of its own. */
export function describe(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === "") return thrown.errors.map(describe).join("; ");
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.message === "" ? thrown.name : thrown.message;
}

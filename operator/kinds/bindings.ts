import type { Arguments, ArgumentValue, Declared, Destination } from "../adapters/ports.ts";

interface BindingSpec {
  readonly exchange: string;
  readonly routingKey: string;
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
}

/** The bindings of a spec as the broker has them. The same one said twice stays twice: who compares, compares by identity. */
export const desiredBindings = (target: Destination, bindings: readonly BindingSpec[]): readonly Declared[] =>
  bindings.map(({ exchange, routingKey, arguments: given }) => ({
    type: "binding",
    source: exchange,
    destinationType: target.type,
    destination: target.name,
    routingKey,
    arguments: brokerArguments(given),
  }));

/** What a user wrote as arguments, with its types. YAML's null is left out: brokers take it for a value of its own. */
export function brokerArguments(given: Readonly<Record<string, unknown>> = {}): Arguments {
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, ArgumentValue] => isArgument(entry[1])));
}

function isArgument(value: unknown): value is ArgumentValue {
  if (Array.isArray(value)) return value.every(isArgument);
  if (typeof value === "object") return value !== null && Object.values(value).every(isArgument);
  return ["string", "number", "boolean"].includes(typeof value);
}

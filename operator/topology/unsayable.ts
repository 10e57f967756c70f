import type { BrokerObject } from "../adapters/ports.ts";
import type { TopologyObject } from "../kinds/topology-kind.ts";

/** From here on a whole number may have been rounded before we saw it; up to 10^21 JSON writes it with all its digits, as if it were exact. */
const isRounded = (value: number): boolean => Math.abs(value) > Number.MAX_SAFE_INTEGER && Math.abs(value) < 1e21;

/**
 * What of an object no broker could be told as it stands there: a null, which no broker takes, or a whole number beyond 2^53, which JSON does not keep
 * exactly. To leave it out or to round it would be a Ready that is not true. Undefined where all can be said. Pure; never throws.
 */
export function unsayableIn({ spec }: Pick<TopologyObject, "spec">, wanted: readonly BrokerObject[]): string | undefined {
  const [found] = [...unsayable("spec", spec), ...wanted.flatMap((object) => [...unsayable(object.type, object)])];
  return found;
}

function* unsayable(path: string, value: unknown): Generator<string> {
  if (value === null) yield `${path} holds a null, which no broker takes`;
  else if (typeof value === "number" && isRounded(value)) yield `${path} is ${value} or near it: whole numbers are exact up to 2^53 only`;
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* unsayable(`${path}[${index}]`, item);
  else if (typeof value === "object") for (const [key, item] of Object.entries(value)) yield* unsayable(`${path}.${key}`, item);
}

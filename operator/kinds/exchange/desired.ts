import type { Declared } from "../../adapters/ports.ts";
import { brokerArguments, desiredBindings } from "../bindings.ts";
import { given } from "../given.ts";
import type { Exchange } from "./schema.ts";

const exchangeName = ({ metadata, spec }: Exchange): string => spec.name ?? metadata.name;

/** The exchange, then the bindings that lead into it. A typed field wins over the same argument in `arguments`. Never throws. */
export function desiredExchange(exchange: Exchange): readonly Declared[] {
  const { spec } = exchange;
  const name = exchangeName(exchange);
  const typed = given({
    "alternate-exchange": spec.alternateExchange,
    "hash-header": spec.hashHeader,
    "hash-property": spec.hashProperty,
    "x-recent-history-length": spec.historyLength,
  });
  return [
    {
      type: "exchange",
      name,
      kind: spec.type,
      durable: spec.durable,
      autoDelete: spec.autoDelete,
      internal: spec.internal,
      arguments: { ...brokerArguments(spec.arguments), ...typed },
    },
    ...desiredBindings({ type: "exchange", name }, spec.bindings),
  ];
}

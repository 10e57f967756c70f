import type { Declared } from "../../adapters/ports.ts";
import { brokerArguments, desiredBindings } from "../bindings.ts";
import type { Exchange } from "./schema.ts";

const exchangeName = ({ metadata, spec }: Exchange): string => spec.name ?? metadata.name;

/** The exchange, then the bindings that lead into it. `alternateExchange` wins over the same argument in `arguments`. Never throws. */
export function desiredExchange(exchange: Exchange): readonly Declared[] {
  const { spec } = exchange;
  const name = exchangeName(exchange);
  const alternate = spec.alternateExchange === undefined ? {} : { "alternate-exchange": spec.alternateExchange };
  return [
    {
      type: "exchange",
      name,
      kind: spec.type,
      durable: spec.durable,
      autoDelete: spec.autoDelete,
      internal: spec.internal,
      arguments: { ...brokerArguments(spec.arguments), ...alternate },
    },
    ...desiredBindings({ type: "exchange", name }, spec.bindings),
  ];
}

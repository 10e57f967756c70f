import type { Declared } from "../../adapters/ports.ts";
import { desiredBindings } from "../bindings.ts";
import type { Binding } from "./schema.ts";

/** The binding; its ends are somebody else's. Never throws. */
export function desiredBinding({ spec }: Binding): readonly Declared[] {
  const { source, destination, destinationType, routingKey, arguments: given } = spec;
  return desiredBindings({ type: destinationType, name: destination }, [{ exchange: source, routingKey, arguments: given }]);
}

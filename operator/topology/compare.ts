import { type Arguments, type ArgumentValue, type BrokerObject, isSetting, type Setting } from "../adapters/ports.ts";
import { canonical } from "./identity.ts";

/** One field in which the broker's object is not what the spec says. Values as text; "nothing" where there is none. */
export interface Difference {
  readonly field: string;
  readonly broker: string;
  readonly spec: string;
}

/** The type stands in a field of its own, and a queue that was declared without it has it all the same. */
const NOT_COMPARED = new Set(["x-queue-type"]);

/** How two objects with one identity differ, in the order in which users read a spec. Equal ones give an empty list. Never throws. */
export function differences(spec: BrokerObject, broker: BrokerObject): readonly Difference[] {
  if (isSetting(spec)) return isSetting(broker) ? settingDifferences(spec, broker) : [];
  return isSetting(broker) ? [] : [...properties(spec, broker), ...argumentDifferences(spec.arguments, broker.arguments)];
}

/** Of a setting only what the spec names is compared; what the broker adds is its own. */
function settingDifferences(spec: Setting, broker: Setting): readonly Difference[] {
  const [wanted, found] = [meant(spec), meant(broker)];
  return Object.keys(wanted).flatMap((field) => difference(field, wanted[field], found[field]));
}

/** A shovel's protocols that are left out are AMQP 0-9-1, and a list of one URI is that URI: as the broker takes them. */
function meant({ type, properties }: Setting): Arguments {
  const { value } = properties;
  if ((type !== "shovel" && type !== "federation-upstream") || typeof value !== "object" || value === null || Array.isArray(value))
    return properties;
  const full = type === "shovel" ? { "src-protocol": "amqp091", "dest-protocol": "amqp091", ...(value as Arguments) } : value;
  const one = (item: ArgumentValue): ArgumentValue =>
    Array.isArray(item) && item.length === 1 ? (item as readonly ArgumentValue[])[0]! : item;
  return {
    ...properties,
    value: Object.fromEntries(Object.entries(full).map(([key, item]) => [key, key.endsWith("uri") ? one(item) : item])),
  };
}

function properties(spec: BrokerObject, broker: BrokerObject): readonly Difference[] {
  const [wanted, found] = [propertiesOf(spec), propertiesOf(broker)];
  return Object.keys(wanted).flatMap((field) => difference(field, wanted[field], found[field]));
}

function propertiesOf(object: BrokerObject): Readonly<Record<string, string | boolean>> {
  if (object.type === "binding" || isSetting(object)) return {};
  const { kind, durable, autoDelete } = object;
  const own = object.type === "queue" ? { exclusive: object.exclusive } : { internal: object.internal };
  return { type: kind, durable, autoDelete, ...own };
}

function argumentDifferences(spec: Arguments, broker: Arguments): readonly Difference[] {
  const names = new Set([...Object.keys(spec), ...Object.keys(broker)].filter((name) => !NOT_COMPARED.has(name)));
  return [...names].toSorted().flatMap((name) => difference(name, spec[name], broker[name]));
}

const difference = (field: string, spec: unknown, broker: unknown): readonly Difference[] => {
  const [wanted, found] = [shown(spec), shown(broker)];
  return wanted === found ? [] : [{ field, broker: found, spec: wanted }];
};

const shown = (value: unknown): string => (value === undefined ? "nothing" : canonical(value));

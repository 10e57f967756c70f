import { type BrokerObject, isSetting, type Setting, type Target } from "../adapters/ports.ts";

/** A value as text that is the same for equal values: JSON with its keys in order. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`;
}

/** What makes two broker objects the same thing: its name; of a binding everything, for it has no name. */
export function identityOf(object: BrokerObject): string {
  if (object.type !== "binding") return `${object.type}/${object.name}`;
  const { source, destinationType, destination, routingKey } = object;
  return `binding/${canonical([source, destinationType, destination, routingKey, object.arguments])}`;
}

/** The target that an object belongs to: of a binding the queue or exchange that it leads into. */
export const targetOf = (object: BrokerObject): Target =>
  object.type === "binding" ? { type: object.destinationType, name: object.destination } : { type: object.type, name: object.name };

export const targetKey = ({ type, name }: Target): string => `${type}/${name}`;

/** An object as users say it: `queue orders`, `permission of alice`, `binding shop -> orders (order.*)`. Never shows a setting's properties. */
export function describeObject(object: BrokerObject): string {
  if (isSetting(object)) return describeSetting(object);
  if (object.type !== "binding") return `${object.type} ${object.name}`;
  const { source, destination, routingKey, arguments: given } = object;
  const rest = [routingKey === "" ? "" : routingKey, Object.keys(given).length === 0 ? "" : canonical(given)].filter((text) => text !== "");
  return `binding ${source} -> ${destination}${rest.length === 0 ? "" : ` (${rest.join(" ")})`}`;
}

function describeSetting({ type, name }: Setting): string {
  if (type === "permission") return `permission of ${name}`;
  if (type !== "topic-permission") return `${type.replace("-", " ")} ${name}`;
  const [user = "", exchange = ""] = name.split("/").map(decodeURIComponent);
  return `topic permission of ${user} on exchange ${exchange}`;
}

/** A short name for an identity, 16 hex digits: FNV-1a with 64 bits (tools.ietf.org/html/draft-eastlake-fnv). */
export function digestOf(identity: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(identity)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}

import { GROUP, VERSION } from "../runtime/define-kind.ts";
import { isLink, linkOf } from "./adopt-links.ts";
import type { Definitions } from "./definitions.ts";
import { createResourceNames } from "./resource-names.ts";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: object;
  readonly stringData?: Readonly<Record<string, string>>;
}

export interface Adopted {
  readonly manifests: readonly Manifest[];
  /** What has no manifest, and why. */
  readonly left: readonly string[];
  /** Secrets that the manifests name and that the user makes: what is to be in them. Never what is in them. */
  readonly missing: readonly string[];
}

const SHA256 = "rabbit_password_hashing_sha256";
const EXCHANGE_TYPES = /^(direct|fanout|topic|headers|x-[a-z0-9-]+)$/;
const LIMITS: Readonly<Record<string, string>> = { "max-connections": "connections", "max-queues": "queues", "max-channels": "channels" };

/**
 * Manifests under which the operator adopts what the definitions say, as it is. Every vhost gets a Broker object with the Secret of `broker`,
 * which is not made here. All are `Retain`: taking the objects away again leaves the broker as it was. Pure; never throws.
 * @param broker name of the Broker object for vhost `/`, and of the Secret with the keys uri and management
 */
export function adopt(definitions: Definitions, broker: string): Adopted {
  const names = createResourceNames();
  const manifests: Manifest[] = [];
  const left: string[] = [];
  const missing = [`Secret ${broker} with the keys uri and management: where the broker is, and the login to it`];
  const put = (kind: string, name: string, spec: object): void =>
    void manifests.push({ apiVersion: `${GROUP}/${VERSION}`, kind, metadata: { name }, spec });
  const brokerOf = (vhost: string): string => (vhost === "/" ? broker : names.nameFor("Broker", broker, vhost));
  const common = (vhost: string, name: string, resource: string): object => ({
    brokerRef: { name: brokerOf(vhost) },
    ...(name === resource ? {} : { name }),
    deletionPolicy: "Retain",
  });
  const add = (kind: string, vhost: string, name: string, spec: object): void => {
    const resource = names.nameFor(kind, ...(vhost === "/" ? [name] : [vhost, name]));
    put(kind, resource, { ...common(vhost, name, resource), ...spec });
  };
  const withArguments = (given: object): object => (Object.keys(given).length === 0 ? {} : { arguments: given });
  const own = (what: string, vhost: string, name: string): boolean => {
    if (name === "." || name === "..") left.push(`${what} ${name} of vhost ${vhost}: RabbitMQ's management API cannot speak of it`);
    if (name === "." || name === "..") return true;
    if (name !== "" && !name.startsWith("amq.")) return false;
    if (name.startsWith("amq.") && what === "queue") left.push(`queue ${name} of vhost ${vhost}: its name belongs to the broker`);
    return true;
  };

  const vhosts = new Set(
    [...definitions.vhosts, ...definitions.exchanges.map(vhostOf), ...definitions.queues.map(vhostOf)].map(({ name }) => name),
  );
  for (const vhost of vhosts) {
    const from = (key: string) => ({ secretKeyRef: { name: broker, key } });
    const elsewhere = vhost === "/" ? {} : { vhost };
    put("Broker", brokerOf(vhost), { uriFrom: from("uri"), managementFrom: from("management"), ...elsewhere });
  }
  for (const { name, metadata, ...vhost } of definitions.vhosts) {
    const { description, tags, default_queue_type: type } = { ...vhost, ...metadata };
    const parameter = definitions.parameters.find((one) => one.component === "vhost-limits" && one.vhost === name)?.value;
    const limits = limitsOf({ ...(Array.isArray(vhost.limits) ? {} : vhost.limits), ...(parameter as object | undefined) });
    // Every broker has it: an object for it only where it is something special.
    if (name === "/" && Object.keys(limits).length === 0 && (tags ?? []).length === 0 && type === undefined) continue;
    const resource = names.nameFor("Vhost", name);
    put("Vhost", resource, {
      ...common("/", name, resource),
      ...(description === undefined ? {} : { description }),
      ...(tags === undefined || tags.length === 0 ? {} : { tags }),
      ...(type !== undefined && ["classic", "quorum", "stream"].includes(type) ? { defaultQueueType: type } : {}),
      limits,
    });
  }
  for (const { name, password_hash: hash, hashing_algorithm: algorithm = SHA256, tags, limits } of definitions.users) {
    const by = /^rabbit_password_hashing_(sha256|sha512|md5)$/.exec(algorithm)?.[1];
    if (by === undefined) {
      left.push(`user ${name}: its password is hashed by ${algorithm}, and a User can say sha256, sha512 and md5 only`);
      continue;
    }
    const resource = names.nameFor("User", name);
    const secret = `${resource}-login`;
    if (hash !== "") {
      manifests.push({ apiVersion: "v1", kind: "Secret", metadata: { name: secret }, stringData: { passwordHash: hash } });
    }
    put("User", resource, {
      ...common("/", name, resource),
      tags,
      ...(hash === "" ? {} : { passwordHashFrom: { secretKeyRef: { name: secret } } }),
      ...(hash === "" || by === "sha256" ? {} : { passwordHashAlgorithm: by }),
      limits: limitsOf(limits),
    });
  }
  for (const { vhost, user, ...patterns } of definitions.permissions) {
    put("Permission", names.nameFor("Permission", vhost, user), {
      brokerRef: { name: brokerOf(vhost) },
      deletionPolicy: "Retain",
      user,
      ...patterns,
    });
  }
  for (const { vhost, user, exchange, ...patterns } of definitions.topic_permissions) {
    if (exchange === "") {
      left.push(`topic permission of ${user} on the default exchange of vhost ${vhost}: it has no effect, for that is no topic exchange`);
      continue;
    }
    const name = names.nameFor("TopicPermission", vhost, user, exchange);
    put("TopicPermission", name, { brokerRef: { name: brokerOf(vhost) }, deletionPolicy: "Retain", user, exchange, ...patterns });
  }
  const bindings = new Map(
    Object.entries(
      Object.groupBy(
        definitions.bindings.filter(({ source }) => source !== ""),
        keyOf,
      ),
    ),
  );
  const bindingsInto = (vhost: string, type: string, name: string): object => {
    const key = JSON.stringify([vhost, type, name]);
    const into = (bindings.get(key) ?? []).map((one) => ({
      exchange: one.source,
      ...(one.routing_key === "" ? {} : { routingKey: one.routing_key }),
      ...withArguments(one.arguments),
    }));
    bindings.delete(key);
    return into.length === 0 ? {} : { bindings: into };
  };
  for (const { vhost, name, type, durable, auto_delete: autoDelete, internal, arguments: given } of definitions.exchanges) {
    if (own("exchange", vhost, name)) continue;
    if (!EXCHANGE_TYPES.test(type)) left.push(`exchange ${name} of vhost ${vhost}: no kind knows its type ${type}`);
    else
      add("Exchange", vhost, name, {
        type,
        durable,
        autoDelete,
        internal,
        ...withArguments(given),
        ...bindingsInto(vhost, "exchange", name),
      });
  }
  for (const { vhost, name, durable, auto_delete: autoDelete, type: said, arguments: given } of definitions.queues) {
    if (own("queue", vhost, name)) continue;
    const { "x-queue-type": type = said ?? "classic", ...rest } = given;
    add("Queue", vhost, name, { type, durable, autoDelete, ...withArguments(rest), ...bindingsInto(vhost, "queue", name) });
  }
  for (const one of [...bindings.values()].flatMap((list) => list ?? [])) {
    const { vhost, source, destination, destination_type: destinationType, routing_key: routingKey, arguments: given } = one;
    const name = names.nameFor("Binding", vhost, source, destination, routingKey, JSON.stringify(given));
    put("Binding", name, {
      brokerRef: { name: brokerOf(vhost) },
      deletionPolicy: "Retain",
      source,
      destination,
      destinationType,
      routingKey,
      ...withArguments(given),
    });
  }
  for (const { vhost, name, "apply-to": applyTo, ...policy } of definitions.policies) add("Policy", vhost, name, { applyTo, ...policy });
  for (const { vhost, component, name, value } of definitions.parameters) {
    if (component === "vhost-limits") continue;
    if (isLink(component)) {
      const resource = names.nameFor(component, ...(vhost === "/" ? [name] : [vhost, name]));
      const secret = `${resource}-${component === "shovel" ? "shovel" : "upstream"}`;
      const what = `${component} ${name} of vhost ${vhost}`;
      const link = linkOf(component, value, secret, common(vhost, name, resource));
      if ("why" in link) left.push(`${what}: ${link.why}`);
      else {
        put(link.kind, resource, link.spec);
        missing.push(`Secret ${secret} with the key${link.keys.length === 1 ? "" : "s"} ${link.keys.join(" and ")}: the URIs of ${what}`);
      }
    } else if (component !== "operator_policy") {
      left.push(`parameter ${name} of ${component} in vhost ${vhost}: there is no kind for it`);
    } else {
      const { "apply-to": applyTo = "queues", ...policy } = value as { readonly "apply-to"?: string };
      add("OperatorPolicy", vhost, name, { applyTo, ...policy });
    }
  }
  for (const { name } of definitions.global_parameters)
    if (!name.startsWith("cluster") && !name.startsWith("internal")) left.push(`global parameter ${name}: there is no kind for it`);
  return { manifests, left, missing };
}

const vhostOf = ({ vhost }: { readonly vhost: string }) => ({ name: vhost });
const keyOf = (one: Definitions["bindings"][number]): string => JSON.stringify([one.vhost, one.destination_type, one.destination]);
const limitsOf = (given: object): object =>
  Object.fromEntries(
    Object.entries(given).flatMap(([key, count]) => (LIMITS[key] === undefined || Number(count) < 0 ? [] : [[LIMITS[key], count]])),
  );

import type { Arguments, BrokerObject } from "../../operator/adapters/ports.ts";
import { GROUP, VERSION } from "../../operator/runtime/define-kind.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";
import type { Broker } from "../cluster/cluster.ts";

const apiVersion = `${GROUP}/${VERSION}`;
const brokerRef = { name: "rabbitmq" };

export interface Manifest extends KubeObject {
  readonly spec?: object;
  readonly stringData?: object;
}

/** A classic queue as the broker has it, with these arguments and nothing else set. */
export const classicQueue = (name: string, args: Arguments = {}): BrokerObject => ({
  type: "queue",
  name,
  kind: "classic",
  durable: true,
  autoDelete: false,
  exclusive: false,
  arguments: { "x-queue-type": "classic", ...args },
});

/** Manifests as a user would write them, all in one namespace and for one Broker called rabbitmq. */
export const manifests = (namespace: string) => ({
  secret: (uri: string, management: string, name = "rabbitmq"): Manifest => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace, name },
    stringData: { uri, management },
  }),
  broker: (spec: object = {}, name = "rabbitmq"): Manifest => ({
    apiVersion,
    kind: "Broker",
    metadata: { namespace, name },
    spec: {
      uriFrom: { secretKeyRef: { name: "rabbitmq", key: "uri" } },
      managementFrom: { secretKeyRef: { name: "rabbitmq", key: "management" } },
      ...spec,
    },
  }),
  exchange: (name: string, spec: object = {}): Manifest => ({
    apiVersion,
    kind: "Exchange",
    metadata: { namespace, name },
    spec: { brokerRef, ...spec },
  }),
  /** Of any kind of topology. */
  any: (kind: string, name: string, spec: object = {}, annotations: Readonly<Record<string, string>> = {}): Manifest => ({
    apiVersion,
    kind,
    metadata: { namespace, name, annotations },
    spec: { brokerRef, ...spec },
  }),
  queue: (name: string, spec: object = {}): Manifest => ({
    apiVersion,
    kind: "Queue",
    metadata: { namespace, name },
    spec: { brokerRef, ...spec },
  }),
});

/** A vhost of its own on a shared broker, so that tests do not meet. Its URI holds the login. */
export async function makeVhost(broker: Broker, name: string): Promise<{ readonly uri: string; readonly drop: () => Promise<void> }> {
  await broker.ctl("add_vhost", name);
  await broker.ctl("set_permissions", "-p", name, broker.username, ".*", ".*", ".*");
  return {
    uri: new URL(`/${encodeURIComponent(name)}`, broker.uri).href,
    drop: async () => {
      await broker.ctl("delete_vhost", name);
    },
  };
}

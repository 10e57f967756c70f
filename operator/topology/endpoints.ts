import type { BrokerEndpoint } from "../adapters/ports.ts";
import type { ObjectKey } from "../runtime/object.ts";
import type { Reason } from "../runtime/truth/reasons.ts";

/** Why there is no endpoint; the message is for people and holds no login. */
export interface EndpointProblem {
  readonly reason: Reason;
  readonly message: string;
}

/** Where each Broker object leads, as its Secret says now, whether it can be reached or not. */
export interface Endpoints {
  endpointOf(namespace: string, broker: string): BrokerEndpoint | EndpointProblem;
  /** Calls back with `namespace/name` when a Broker leads somewhere else, or nowhere. */
  subscribe(listener: (broker: ObjectKey) => void): Disposable;
  /** Broker objects that lead to the same vhost of the same broker, or to any of its vhosts; by whatever name, where the broker has told its cluster. */
  sharing(endpoint: BrokerEndpoint, level: "vhost" | "server"): readonly ObjectKey[];
}

export interface EndpointRegistry extends Endpoints {
  set(broker: ObjectKey, to: BrokerEndpoint | EndpointProblem): void;
  delete(broker: ObjectKey): void;
  /** What answers at this address is a node of this cluster. Returns whether that is new. */
  recognise(at: BrokerEndpoint, cluster: string): boolean;
}

export const isEndpoint = (value: BrokerEndpoint | EndpointProblem): value is BrokerEndpoint => "host" in value;

const addressOf = ({ host, port }: BrokerEndpoint): string => `${host}:${port}`;

export function createEndpoints(): EndpointRegistry {
  const known = new Map<ObjectKey, BrokerEndpoint | EndpointProblem>();
  const clusters = new Map<string, string>();
  const listeners = new Set<(broker: ObjectKey) => void>();
  const tell = (broker: ObjectKey): void => {
    for (const listener of listeners) listener(broker);
  };
  return {
    endpointOf: (namespace, broker) =>
      known.get(`${namespace}/${broker}`) ?? {
        reason: "BrokerMissing",
        message: `Broker ${broker} does not exist in namespace ${namespace}`,
      },
    subscribe(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => listeners.delete(listener) };
    },
    sharing(endpoint, level) {
      const cluster = clusters.get(addressOf(endpoint));
      const oneBroker = (to: BrokerEndpoint): boolean =>
        addressOf(to) === addressOf(endpoint) || (cluster !== undefined && clusters.get(addressOf(to)) === cluster);
      const same = (to: BrokerEndpoint): boolean => oneBroker(to) && (level === "server" || to.vhost === endpoint.vhost);
      return [...known].filter(([, to]) => isEndpoint(to) && same(to)).map(([broker]) => broker);
    },
    set(broker, to) {
      if (JSON.stringify(known.get(broker)) === JSON.stringify(to)) return;
      known.set(broker, to);
      tell(broker);
    },
    recognise(at, cluster) {
      const address = addressOf(at);
      if (clusters.get(address) === cluster) return false;
      clusters.set(address, cluster);
      return true;
    },
    delete(broker) {
      if (known.delete(broker)) tell(broker);
    },
  };
}

import type { BrokerEndpoint } from "../../operator/adapters/ports.ts";
import { brokerEndpoint } from "../../operator/kinds/broker/endpoint.ts";
import type { Broker } from "../cluster/cluster.ts";

/** The endpoint of a broker of the local cluster, as the operator would make it from the Secret. */
export function endpointOfBroker(broker: Broker): BrokerEndpoint {
  const endpoint = brokerEndpoint(broker.uri, broker.managementUri, broker.prometheusUri.replace(/\/metrics$/, ""));
  if ("host" in endpoint) return endpoint;
  throw new Error(endpoint.message);
}

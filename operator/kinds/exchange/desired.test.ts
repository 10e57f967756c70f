import { expect, test } from "vitest";
import { desiredExchange } from "./desired.ts";
import { type Exchange, exchangeKind } from "./schema.ts";

const exchange = (spec: object): Exchange => ({
  apiVersion: "longshore.dev/v1alpha1",
  kind: "Exchange",
  metadata: { name: "shop", namespace: "shop" },
  spec: exchangeKind.spec.parse({ brokerRef: { name: "rabbitmq" }, ...spec }),
});
const plain = { type: "exchange", name: "shop", kind: "direct", durable: true, autoDelete: false, internal: false, arguments: {} };

const rows: readonly [why: string, spec: object, want: readonly object[]][] = [
  ["defaults: durable and direct, named as the object", {}, [plain]],
  [
    "a name and a type of its own",
    { name: "amq-like", type: "x-consistent-hash" },
    [{ ...plain, name: "amq-like", kind: "x-consistent-hash" }],
  ],
  [
    "the alternate exchange is an argument, and wins over the same one below arguments",
    { alternateExchange: "unrouted", arguments: { "alternate-exchange": "other", "hash-header": "h" } },
    [{ ...plain, arguments: { "alternate-exchange": "unrouted", "hash-header": "h" } }],
  ],
  [
    "bindings lead into it from other exchanges",
    { bindings: [{ exchange: "everything", routingKey: "#" }] },
    [plain, { type: "binding", source: "everything", destinationType: "exchange", destination: "shop", routingKey: "#", arguments: {} }],
  ],
];
test.for(rows)("%s", ([, spec, want]) => expect(desiredExchange(exchange(spec))).toEqual(want));

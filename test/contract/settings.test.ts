import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Part, SETTING_TYPES, type Setting, type TopologyPort } from "../../operator/adapters/ports.ts";
import { connectTopology } from "../../operator/adapters/rabbitmq/management.ts";
import { passwordHash } from "../../operator/topology/password.ts";
import { type BrokerVersion, broker } from "../cluster/cluster.ts";
import { createFakeVhost } from "../fakes/vhost.ts";
import { endpointOfBroker } from "./broker-endpoint.ts";

/** Names are this process's own: the brokers are shared. */
const own = (name: string) => `settings-contract-${process.pid} ${name}`;
const [vhost, user] = [own("vhost/ü"), own("user/ü")];
const uri = "amqp://u:p%40ss@localhost";

const first: readonly Setting[] = [
  {
    type: "vhost",
    name: vhost,
    properties: {
      default_queue_type: "quorum",
      description: "of a test",
      tags: ["a", "b"],
      tracing: false,
      limits: { "max-connections": 5, "max-queues": 7 },
    },
  },
  {
    type: "user",
    name: user,
    properties: {
      tags: ["management", "monitoring"],
      password_hash: passwordHash("secret", "uid"),
      hashing_algorithm: "rabbit_password_hashing_sha256",
      limits: { "max-channels": 9 },
    },
  },
  { type: "permission", name: user, properties: { configure: "", write: "^shop$", read: ".*" } },
  {
    type: "topic-permission",
    name: [user, own("topics")].map(encodeURIComponent).join("/"),
    properties: { exchange: own("topics"), write: "^a", read: "" },
  },
  {
    type: "policy",
    name: own("policy"),
    properties: {
      pattern: "^never$",
      "apply-to": "queues",
      priority: 3,
      definition: { "message-ttl": 1_000, "max-length-bytes": 1_000_000_000 },
    },
  },
  {
    type: "operator-policy",
    name: own("limit"),
    properties: { pattern: "^never$", "apply-to": "queues", priority: 0, definition: { "max-length": 10 } },
  },
  { type: "federation-upstream", name: own("upstream"), properties: { value: { uri, "prefetch-count": 10, "trust-user-id": true } } },
  {
    type: "shovel",
    name: own("shovel"),
    properties: {
      value: {
        "src-protocol": "amqp091",
        "src-uri": uri,
        "src-queue": "never",
        "dest-protocol": "amqp091",
        "dest-uri": uri,
        "dest-queue": "never",
      },
    },
  },
];
/** Every one of them changed, limits taken away among it. */
const second: readonly Setting[] = first.map((setting) => {
  const { type, properties } = setting;
  if (type === "vhost")
    return { ...setting, properties: { ...properties, default_queue_type: "classic", tags: [], limits: { "max-queues": 8 } } };
  if (type === "user")
    return { ...setting, properties: { ...properties, tags: [], password_hash: passwordHash("other", "uid"), limits: {} } };
  if (type === "permission" || type === "topic-permission") return { ...setting, properties: { ...properties, read: "^b" } };
  if (type === "policy" || type === "operator-policy")
    return { ...setting, properties: { ...properties, definition: { "max-length": 11 } } };
  return { ...setting, properties: { value: { ...(properties["value"] as object), "reconnect-delay": 7 } } };
});

const real = (version: BrokerVersion) => async () => connectTopology(endpointOfBroker(await broker(version)), { random: Math.random });
const ports: readonly [name: string, make: () => Promise<TopologyPort>][] = [
  ["a vhost in memory", async () => createFakeVhost().connect()],
  ["RabbitMQ 3.10", real("3.10")],
  ["RabbitMQ 4.0", real("4.0")],
  ["RabbitMQ 4.3", real("4.3")],
];

describe.each(ports)("%s", (name, make) => {
  /** 3.10 takes a default queue type and does not keep it; 4.3 says of each vhost whether it is protected. */
  const shown = (setting: Setting): Setting => {
    if (name === "RabbitMQ 4.3" && setting.type === "vhost")
      return { ...setting, properties: { protected_from_deletion: false, ...setting.properties } };
    if (name !== "RabbitMQ 3.10") return setting;
    const { default_queue_type: _, ...properties } = setting.properties;
    return { ...setting, properties };
  };
  let port: TopologyPort;
  beforeAll(async () => {
    port = await make();
    await port.declare({
      type: "exchange",
      name: own("topics"),
      kind: "topic",
      durable: true,
      autoDelete: false,
      internal: false,
      arguments: {},
    });
  }, 240_000);
  afterAll(async () => {
    for (const one of first.toReversed()) await port?.remove(one);
    await port?.remove({
      type: "exchange",
      name: own("topics"),
      kind: "topic",
      durable: true,
      autoDelete: false,
      internal: false,
      arguments: {},
    });
    await port?.[Symbol.asyncDispose]();
  });

  test("what was set is read back as it was set, set anew, and gone when it is removed, twice as once", { timeout: 120_000 }, async () => {
    for (const settings of [first, second]) {
      for (const setting of settings) {
        await port.declare(setting);
        await port.declare(setting);
        expect(await port.read(setting), setting.type).toEqual([shown(setting)]);
      }
      const { objects } = await port.observe(SETTING_TYPES);
      for (const setting of settings) expect(objects).toContainEqual(shown(setting));
    }
    for (const { type, name } of second.toReversed()) {
      await port.remove({ type, name, properties: {} });
      await port.remove({ type, name, properties: {} });
      expect(await port.read({ type, name }), type).toEqual([]);
    }
  });

  test.runIf(name === "RabbitMQ 4.3")(
    "a protected vhost stays until the protection is taken away (only RabbitMQ 4.1 and newer protect one)",
    { timeout: 60_000 },
    async () => {
      const properties = { description: "", tags: [], tracing: false, limits: {} };
      const one = (guarded: boolean): Setting => ({
        type: "vhost",
        name: own("guarded"), // The refusal of a name beyond ASCII crashes the handler of 4.3.6.
        properties: { ...properties, protected_from_deletion: guarded },
      });
      await port.declare(one(true));
      expect(await port.read(one(true))).toMatchObject([one(true)]);
      await expect(port.remove(one(true))).rejects.toMatchObject({ message: expect.stringContaining("protected from deletion") });
      await port.declare(one(false));
      await port.remove(one(false));
      expect(await port.read(one(false))).toEqual([]);
    },
  );

  test("changes by anybody are told, by their part", { timeout: 120_000 }, async () => {
    const told = new Set<Part>();
    const subscription = await port.changes((change) => void (typeof change === "string" && told.add(change)));
    if (subscription === "unsupported") throw new Error("the event exchange is enabled on all our brokers");
    for (const setting of first) await port.declare(setting);
    for (const setting of first.toReversed()) await port.remove(setting);
    await expect.poll(() => SETTING_TYPES.filter((type) => !told.has(type)), { timeout: 30_000 }).toEqual([]);
    await subscription[Symbol.asyncDispose]();
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import type { TopologyPort } from "../../operator/adapters/ports.ts";
import { connectTopology } from "../../operator/adapters/rabbitmq/management.ts";
import { brokerEndpoint } from "../../operator/kinds/broker/endpoint.ts";
import type { Broker as BrokerObject } from "../../operator/kinds/broker/schema.ts";
import { type Broker, broker as sharedBroker } from "../cluster/cluster.ts";
import { type Manifest, makeVhost, manifests } from "./topology-objects.ts";
import {
  type Api,
  awaitObject,
  awaitReason,
  BROKERS,
  EXCHANGES,
  QUEUES,
  type RunningTopology,
  SECRETS,
  startApi,
  startOperator,
} from "./topology-operator.ts";

const namespace = "default";
const make = manifests(namespace);
let api: Api;
let broker: Broker;
let vhost: Awaited<ReturnType<typeof makeVhost>>;
let operator: RunningTopology;
/** A second pair of eyes and hands: what the operator does not know of. */
let hand: TopologyPort;

beforeAll(async () => {
  [api, broker] = await Promise.all([startApi(), sharedBroker()]);
  vhost = await makeVhost(broker, `topology-${process.pid}`);
  const endpoint = brokerEndpoint(vhost.uri, broker.managementUri);
  if (!("host" in endpoint)) throw new Error(endpoint.message);
  hand = connectTopology(endpoint, { random: Math.random });
  operator = await startOperator(api.kube, namespace);
});
afterAll(async () => {
  await operator?.[Symbol.asyncDispose]();
  await hand?.[Symbol.asyncDispose]();
  await vhost?.drop();
  await api?.[Symbol.asyncDispose]();
});

const KINDS = { Secret: SECRETS, Broker: BROKERS, Exchange: EXCHANGES, Queue: QUEUES } as const;
const resourceOf = ({ kind }: Manifest) => KINDS[kind as keyof typeof KINDS];
const apply = async (...objects: readonly Manifest[]) => {
  for (const object of objects) await api.kube.apply(resourceOf(object), object);
};
const until = (object: Manifest, reason: string, ms?: number) =>
  awaitReason(api.kube, resourceOf(object), namespace, object.metadata.name, reason, ms);
const remove = (object: Manifest) => api.kube.delete(resourceOf(object), namespace, object.metadata.name);
const gone = (object: Manifest, ms?: number) =>
  awaitObject(api.kube, resourceOf(object), namespace, object.metadata.name, (found) => found === undefined, ms);

const media = make.exchange("media", { type: "direct" });
const video = make.queue("video-queue", { name: "video_queue", type: "quorum", bindings: [{ exchange: "media", routingKey: "video" }] });

test("applied in the worst order, queue first and Secret last, everything becomes Ready and is on the broker", async () => {
  await apply(video);
  expect((await until(video, "BrokerMissing")).message).toContain("Broker rabbitmq does not exist");
  await apply(media, make.broker());
  expect((await until(make.broker(), "SecretMissing")).message).toContain(`Secret ${namespace}/rabbitmq does not exist`);
  await apply(make.secret(vhost.uri, broker.managementUri));
  const started = performance.now();
  await Promise.all([until(make.broker(), "Ready"), until(media, "Declared"), until(video, "Declared")]);
  expect(performance.now() - started).toBeLessThan(6_000);
  expect(await hand.read({ type: "queue", name: "video_queue" })).toEqual([
    expect.objectContaining({ name: "video_queue", kind: "quorum", durable: true }),
    { type: "binding", source: "media", destinationType: "queue", destination: "video_queue", routingKey: "video", arguments: {} },
  ]);
  const seen = await api.kube.get<BrokerObject>(BROKERS, namespace, "rabbitmq");
  expect(seen?.status).toMatchObject({ version: expect.stringMatching(/^4\.0/), capabilities: expect.arrayContaining(["bulk", "events"]) });
  expect(JSON.stringify(seen)).not.toContain(broker.password);
});

test("a queue that is deleted by hand is back within half a second, told by an event", async () => {
  await hand.remove({
    type: "queue",
    name: "video_queue",
    kind: "quorum",
    durable: true,
    autoDelete: false,
    exclusive: false,
    arguments: {},
  });
  const started = performance.now();
  await expect.poll(async () => (await hand.read({ type: "queue", name: "video_queue" })).length, { interval: 10, timeout: 5_000 }).toBe(2);
  expect(performance.now() - started).toBeLessThan(1_000);
  await until(video, "Declared");
  await remove(video);
  await gone(video);
  expect(await hand.read({ type: "queue", name: "video_queue" })).toEqual([]);
});

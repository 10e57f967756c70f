import { setTimeout as delay } from "node:timers/promises";
import type { TopologyPort } from "../../../operator/adapters/ports.ts";
import { connectTopology } from "../../../operator/adapters/rabbitmq/management.ts";
import { brokerEndpoint } from "../../../operator/kinds/broker/endpoint.ts";
import { inParallel } from "../../../operator/runtime/in-parallel.ts";
import { classicQueue } from "../../integration/topology-objects.ts";
import { type BrokerWatch, type Lab, make, watchBroker } from "./lab.ts";

/** Takes a queue away behind the operator's back, and waits until it is there again, ms. */
async function takeAway(port: TopologyPort, broker: BrokerWatch, name: string): Promise<number> {
  const gone = broker.told(name);
  await port.remove(classicQueue(name));
  const since = await gone;
  return (await broker.told(name)) - since;
}

/** With the event exchange: queues `one-0`, `one-1`… one after the other. */
export async function driftByEvents({ port, broker }: Lab, trials: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < trials; n++) times.push(await takeAway(port, broker, `one-${n}`));
  return times;
}

const POLLED = "polled";

/** For an operator whose login may not read the event exchange: in a vhost of its own, side by side, at times spread over `overMs`. */
export async function driftByPoll(lab: Lab, trials: number, overMs: number): Promise<readonly number[]> {
  const admin = new URL(lab.stage.uris.management);
  const put = async (path: string, body: object): Promise<void> => {
    const authorization = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString("base64")}`;
    const headers = { authorization, "content-type": "application/json" };
    const { ok, status } = await fetch(`${admin.origin}/api${path}`, { method: "PUT", headers, body: JSON.stringify(body) });
    if (!ok) throw new Error(`PUT ${path}: ${status}`);
  };
  await using _operator = await lab.stage.startOperator();
  const all = { configure: ".*", write: ".*", read: ".*" };
  await put(`/vhosts/${POLLED}`, {});
  await put(`/users/${POLLED}`, { password: POLLED, tags: "administrator" });
  await put(`/permissions/${POLLED}/${POLLED}`, all);
  await put(`/permissions/${POLLED}/${admin.username}`, all);
  const [uri, management] = [new URL(lab.stage.uris.broker), new URL(lab.stage.uris.management)];
  for (const one of [uri, management]) [one.username, one.password] = [POLLED, POLLED];
  uri.pathname = `/${POLLED}`;
  await lab.create("secrets", make.secret(uri.href, management.href, POLLED));
  const secret = (key: string) => ({ secretKeyRef: { name: POLLED, key } });
  await lab.create("brokers", make.broker({ uriFrom: secret("uri"), managementFrom: secret("management") }, POLLED));
  const names = Array.from({ length: trials }, (_, n) => `${POLLED}-${n}`);
  for (const name of names) await lab.createQueue(name, { brokerRef: { name: POLLED } });
  await lab.queues.count(`${POLLED}-`, trials);
  const eyes = brokerEndpoint(new URL(`/${POLLED}`, lab.stage.uris.broker).href, lab.stage.uris.management);
  if (!("host" in eyes)) throw new Error(eyes.message);
  await using port = connectTopology(eyes, { random: Math.random });
  const broker = await watchBroker(port);
  const times: number[] = [];
  await inParallel([...names.entries()], trials, async ([n, name]) => {
    await delay((n * overMs) / trials);
    times.push(await takeAway(port, broker, name));
  });
  return times;
}

import { expect, test } from "vitest";
import { BrokerError } from "../ports.ts";
import { createProbe } from "./probe.ts";

const ANSWERS: Readonly<Record<string, unknown>> = {
  "/overview": { rabbitmq_version: "4.0.5", exchange_types: [{ name: "direct" }, { name: "x-random" }] },
  "/nodes": [{ name: "rabbit@one", running: true, mem_alarm: true, disk_free_alarm: false }],
  "/whoami": { name: "u", tags: ["administrator"] },
  "/deprecated-features/used": [],
  "/global-parameters/internal_cluster_id": { name: "internal_cluster_id", value: "one" },
  "/exchanges/shop/amq.direct": { name: "amq.direct" },
};
const STEADY = ["/overview", "/nodes"];

function setup() {
  const answers = new Map(Object.entries(ANSWERS));
  const asked: string[] = [];
  const call = async ({ path }: { readonly path: string }): Promise<unknown> => {
    const [name = ""] = path.split("?");
    asked.push(name);
    if (!answers.has(name)) throw new BrokerError("missing", "management", "Not Found");
    return answers.get(name);
  };
  const probe = createProbe({ call }, { model: async () => undefined }, { vhost: "shop" });
  const look = async (): Promise<readonly string[]> => {
    asked.length = 0;
    await probe.look();
    return [...asked];
  };
  return { answers, probe, look };
}

test("a steady broker is asked for its version and its alarms; what changes seldom with the first look and the sixteenth", async () => {
  const { look, probe } = setup();
  expect(new Set(await look())).toEqual(new Set(Object.keys(ANSWERS)));
  for (let n = 0; n < 14; n++) expect(await look()).toEqual(STEADY);
  expect(await look()).toHaveLength(6);
  const seldom = { version: "4.0.5", capabilities: ["bulk", "exchange:x-random"], deprecated: [], cluster: "one" };
  expect(await probe.look()).toEqual({ ...seldom, nodes: [{ name: "rabbit@one", running: true }], alarms: ["memory on rabbit@one"] });
});

test("all is asked anew after another version, after a look that failed, and when it is told to forget", async () => {
  const { answers, probe, look } = setup();
  await look();
  answers.set("/overview", { rabbitmq_version: "4.3.5" });
  expect(await look()).toHaveLength(6);
  answers.delete("/overview");
  await expect(look()).rejects.toMatchObject({ failure: "missing" });
  answers.set("/overview", { rabbitmq_version: "4.3.5" });
  answers.delete("/exchanges/shop/amq.direct");
  await expect(look()).rejects.toMatchObject({ failure: "vhost", message: "the broker has no vhost shop" });
  answers.set("/exchanges/shop/amq.direct", {});
  expect(await look()).toHaveLength(6);
  expect(await look()).toEqual(STEADY);
  probe.forget();
  expect(await look()).toHaveLength(6);
});

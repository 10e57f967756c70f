import { expect, test } from "vitest";
import type { BrokerObject, Snapshot } from "../adapters/ports.ts";
import { createPicture } from "./picture.ts";

const exchange = (name: string): BrokerObject => ({
  type: "exchange",
  name,
  kind: "topic",
  durable: true,
  autoDelete: false,
  internal: false,
  arguments: {},
});
const policy = (priority: number): BrokerObject => ({ type: "policy", name: "p", properties: { priority } });

test("a part that is said to be unchanged stays, and what is told beside it is new", async () => {
  const answers: Snapshot[] = [
    { objects: [exchange("shop"), policy(1)], versioned: true },
    { objects: [policy(2)], unchanged: ["topology"], versioned: true },
    { objects: [], versioned: false },
  ];
  const picture = createPicture({ observe: async () => answers.shift() ?? { objects: [] }, read: async () => [] });
  picture.follow(["policy"]);
  await picture.refresh();
  expect([...picture.actual.keys()]).toEqual(["exchange/shop", "policy/p"]);
  const shop = picture.actual.get("exchange/shop");
  picture.doubt();
  await picture.refresh();
  expect(picture.actual.get("exchange/shop")).toBe(shop);
  expect(picture.actual.get("policy/p")).toEqual([policy(2)]);
  expect(picture.versioned).toBe(true);
  picture.doubt();
  await picture.refresh();
  expect([picture.actual.size, picture.versioned]).toEqual([0, false]);
});

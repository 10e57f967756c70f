import { expect, test } from "vitest";
import type { Delivery } from "../ports.ts";
import type { TaskMessage } from "../protocol/task-message.ts";
import { newScheduled } from "./scheduled.ts";

const delivery = { exchange: "", routingKey: "q", redelivered: false } as Delivery;
const task = (id: string, eta: number) => ({ id, eta: new Date(eta), body: Buffer.alloc(1_000) }) as unknown as TaskMessage;

test("tasks are listed until their time comes, they come back, or are too many", () => {
  let now = 0;
  const scheduled = newScheduled({ now: () => now });
  scheduled.add(task("soon", 10), delivery);
  scheduled.add(task("late", 1_000), delivery);
  scheduled.add(task("back", 1_000), delivery);
  scheduled.drop("back");
  expect(scheduled.tasks).toMatchObject([{ task: { id: "soon" }, acknowledged: false, routingKey: "q" }, { task: { id: "late" } }]);
  now = 10;
  expect(scheduled.tasks.map((held) => held.task.id)).toEqual(["late"]);
  for (let at = 0; at < 1_000; at += 1) scheduled.add(task(`t${at}`, 1_000), delivery);
  expect(scheduled.tasks).toHaveLength(1_000);
  expect(scheduled.tasks.every((held) => held.task.body.length === 0)).toBe(true);
  expect(scheduled.tasks.some((held) => held.task.id === "late")).toBe(false);
});

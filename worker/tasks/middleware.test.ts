import { expect, test } from "vitest";
import * as z from "zod";
import { runOnce } from "../testing/index.ts";
import { defineTask } from "./define-task.ts";
import { defineMiddleware } from "./middleware.ts";
import { Ignore, Retry } from "./outcomes.ts";

const double = defineTask({ name: "m.double", kwargs: z.object({ n: z.number() }), run: ({ n }) => n * 2 });
const call = { kwargs: { n: 2 } };

test("middlewares stand around a task by their order, equal ones as they come", async () => {
  const seen: string[] = [];
  const around = (name: string, order = 0) =>
    defineMiddleware({
      name,
      order,
      async around({ task, input }, next) {
        seen.push(`${name} before ${task} ${JSON.stringify(input)}`);
        const value = await next();
        seen.push(`${name} after ${String(value)}`);
        return Number(value) + 1;
      },
    });
  const run = await runOnce(double, { ...call, middlewares: [around("b"), around("c"), around("a", -1)] });
  expect(run.value).toBe(7);
  expect(seen).toEqual([
    'a before m.double {"n":2}',
    'b before m.double {"n":2}',
    'c before m.double {"n":2}',
    "c after 4",
    "b after 5",
    "a after 6",
  ]);
});

test("what it throws is the task's own: it may retry, end or fail it", async () => {
  const throws = (error: Error) => defineMiddleware({ name: "t", around: () => Promise.reject(error) });
  const kind = async (error: Error) => (await runOnce(double, { ...call, middlewares: [throws(error)] })).outcome.kind;
  expect([await kind(new Retry("later")), await kind(new Ignore()), await kind(new Error("no"))]).toEqual(["retry", "ignore", "failure"]);
});

test("arguments are checked before it, and a task runs once per attempt", async () => {
  let calls = 0;
  const twice = defineMiddleware({
    name: "greedy",
    async around(_call, next) {
      calls += 1;
      await next();
      return await next();
    },
  });
  expect((await runOnce(double, { kwargs: { n: "x" }, middlewares: [twice] })).outcome.kind).toBe("failure");
  expect(calls).toBe(0);
  expect((await runOnce(double, { ...call, middlewares: [twice] })).outcome).toMatchObject({
    error: { exc_message: ['middleware "greedy" called next twice'] },
  });
  expect(() => defineMiddleware({ name: "", around: () => 1 })).toThrow(TypeError);
});

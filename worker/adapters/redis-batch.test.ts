import { expect, test } from "vitest";
import type { Script } from "../ports.ts";
import { batched } from "./redis-batch.ts";

const script = (name: string): Script => ({ name, source: `return ${name}`, sha: name });

/** Answers a batch as the script would: each call's first argument, an error for "bad". */
function server() {
  const asked: string[] = [];
  const run = batched(async ({ name }, keys, args) => {
    asked.push(`${name} ${keys.length}`);
    if (args[0] === "down") throw new Error("ECONNRESET");
    if (!name.endsWith("-many")) return args[0];
    const size = Number(args[1]);
    return keys.map((_, at) => (args[2 + at * size] === "bad" ? new Error("ERR bad") : args[2 + at * size]));
  });
  return { asked, run };
}

test("calls of one moment go out together, each with its own answer or error; other shapes and scripts apart", async () => {
  const { asked, run } = server();
  const calls = [
    run(script("a"), ["k1"], ["one", 1]),
    run(script("a"), ["k2"], ["bad", 1]),
    run(script("a"), ["k3"], ["three", 1]),
    run(script("a"), ["k4"], ["alone"]),
    run(script("b"), ["k5"], ["other", 1]),
  ];
  expect(await Promise.allSettled(calls)).toMatchObject([
    { value: "one" },
    { reason: { message: "ERR bad" } },
    { value: "three" },
    { value: "alone" },
    { value: "other" },
  ]);
  expect(asked).toEqual(["a-many 3", "a 1", "b 1"]);
  await run(script("a"), ["k"], ["later", 1]);
  expect(asked.at(-1)).toBe("a 1");
});

test("a lost connection is every caller's error, and no batch grows without end", async () => {
  const { asked, run } = server();
  await expect(run(script("a"), ["k"], ["down"])).rejects.toThrow("ECONNRESET");
  await Promise.all(Array.from({ length: 100 }, (_, at) => run(script("a"), ["k"], [String(at)])));
  expect(asked.slice(1).toSorted()).toEqual(["a-many 36", "a-many 64"]);
});

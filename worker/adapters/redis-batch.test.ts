import { expect, test } from "vitest";
import type { Script } from "../ports.ts";
import { batched } from "./redis-batch.ts";

const script = (name: string): Script => ({ name, source: `return ${name}`, sha: name });

/** Answers each call of a batch with its first argument and its last, and "bad" with an error; reads a batch as the script does. */
function server() {
  const asked: string[] = [];
  const sent: (string | number | Uint8Array)[] = [];
  const run = batched(
    async ({ name }, keys, args) => {
      asked.push(`${name} ${keys.length}`);
      sent.push(...args);
      if (args[0] === "down") throw new Error("ECONNRESET");
      if (!name.endsWith("-many")) return [args[0], args.at(-1)];
      const shape = String(args[1]).split("");
      const rest = args.slice(2);
      const shared = shape.map((letter) => (letter === "s" ? rest.shift() : undefined));
      return keys.map(() => {
        const own = shape.map((letter, at) => (letter === "s" ? shared[at] : rest.shift()));
        return own[0] === "bad" || own[0] === "busy" ? new Error(`ERR ${own[0]}`) : [own[0], own.at(-1)];
      });
    },
    async (error, _script, [key]) => {
      if (error.message === "ERR bad") throw error;
      return `${key} later`;
    },
  );
  return { asked, sent, run };
}

test("calls of one moment go out together, each with its own answer or error; other shapes and scripts apart", async () => {
  const { asked, run } = server();
  const calls = [
    run(script("a"), ["k1"], ["one", 1]),
    run(script("a"), ["k2"], ["bad", 1]),
    run(script("a"), ["k3"], ["busy", 1]),
    run(script("a"), ["k4"], ["alone"]),
    run(script("b"), ["k5"], ["other", 1]),
  ];
  expect(await Promise.allSettled(calls)).toMatchObject([
    { value: ["one", 1] },
    { reason: { message: "ERR bad" } },
    { value: "k3 later" },
    { value: ["alone", "alone"] },
    { value: ["other", 1] },
  ]);
  expect(asked).toEqual(["a-many 3", "a 1", "b 1"]);
  await run(script("a"), ["k"], ["later", 1]);
  expect(asked.at(-1)).toBe("a 1");
});

test("what all calls of a batch say alike is sent once, wherever it stands", async () => {
  const { sent, run } = server();
  const calls = ["x", "y", "z"].map((own) => run(script("a"), ["k"], ["lease", own, 30, own === "z" ? 1 : 2]));
  expect(await Promise.all(calls)).toEqual([
    ["lease", 2],
    ["lease", 2],
    ["lease", 1],
  ]);
  expect(sent).toEqual([1, "soso", "lease", 30, "x", 2, "y", 2, "z", 1]);
});

test("a lost connection is every caller's error, and no batch grows without end", async () => {
  const { asked, run } = server();
  await expect(run(script("a"), ["k"], ["down"])).rejects.toThrow("ECONNRESET");
  await Promise.all(Array.from({ length: 100 }, (_, at) => run(script("a"), ["k"], [String(at)])));
  expect(asked.slice(1).toSorted()).toEqual(["a-many 36", "a-many 64"]);
});

import { expect, test } from "vitest";
import { looping, type Service, startAll } from "./service.ts";

function services(said: string[], broken?: string): readonly Service[] {
  return ["a", "b", "c"].map((name) => ({
    name,
    async start() {
      if (name === broken) throw new Error(`${name} is broken`);
      said.push(`+${name}`);
      return { [Symbol.asyncDispose]: async () => void said.push(`-${name}`) };
    },
  }));
}

test("services start in order and stop in reverse, once", async () => {
  const said: string[] = [];
  const running = await startAll(services(said));
  await running[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
  expect(said).toEqual(["+a", "+b", "+c", "-c", "-b", "-a"]);
});

test("when one cannot start, those before it are stopped", async () => {
  const said: string[] = [];
  await expect(startAll(services(said, "c"))).rejects.toThrow("c is broken");
  expect(said).toEqual(["+a", "+b", "-b", "-a"]);
});

test("a loop is told to stop, and stopping waits for its end", async () => {
  let ended = false;
  const run = async (signal: AbortSignal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    ended = true;
  };
  const running = await looping("loop", run, () => {}).start();
  await running[Symbol.asyncDispose]();
  expect(ended).toBe(true);
});

test("a loop that fails says so", async () => {
  const failures: unknown[] = [];
  const running = await looping(
    "loop",
    () => Promise.reject(new Error("oops")),
    (error) => void failures.push(error),
  ).start();
  await running[Symbol.asyncDispose]();
  expect(failures).toEqual([new Error("oops")]);
});

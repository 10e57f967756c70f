import { expect, test } from "vitest";
import type { KubePort } from "../../adapters/ports.ts";
import { KubeError } from "../../runtime/kube-error.ts";
import type { KubeObject } from "../../runtime/object.ts";
import { createDataReader } from "./data-reader.ts";

const secret = (resourceVersion: string) =>
  ({ apiVersion: "v1", kind: "Secret", metadata: { name: "s", uid: "u", resourceVersion }, data: { uri: "c2VjcmV0" } }) as KubeObject;

function setup(answers: readonly (KubeObject | undefined | Error)[]) {
  let asked = 0;
  let now = 0;
  const get: KubePort["get"] = async <T extends KubeObject>() => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    return answer as T | undefined;
  };
  const reader = createDataReader({ kube: { get }, clock: { elapsed: () => now } });
  return { read: () => reader.read("Secret", "ns", "s"), pass: (ms: number) => (now += ms), asked: () => asked };
}

test("pools that read the same Secret at a time cost one request", async () => {
  const { read, pass, asked } = setup([secret("1"), secret("2")]);
  const [one, other] = await Promise.all([read(), read()]);
  expect([one, other, asked()]).toEqual([{ keys: ["uri"], version: "u/1" }, { keys: ["uri"], version: "u/1" }, 1]);
  pass(2_999);
  expect((await read())?.version).toBe("u/1");
  pass(1);
  expect((await read())?.version).toBe("u/2");
});

test("nothing of the content is kept", async () => {
  const { read } = setup([secret("1")]);
  expect(JSON.stringify(await read())).not.toContain("c2VjcmV0");
});

test("what is missing is missing, and is looked for again", async () => {
  const { read, pass } = setup([undefined, secret("1")]);
  expect(await read()).toBeUndefined();
  pass(3_000);
  expect(await read()).toBeDefined();
});

test("a failure is told, and not remembered", async () => {
  const { read } = setup([new KubeError(500, "InternalError", "boom"), secret("1")]);
  await expect(read()).rejects.toThrow("boom");
  expect(await read()).toBeDefined();
});

test("a refusal says what may not be read", async () => {
  const { read } = setup([new KubeError(403, "Forbidden", "no")]);
  await expect(read()).rejects.toMatchObject({ name: "Waiting", reason: "Forbidden", message: "Secret ns/s cannot be read: no" });
});

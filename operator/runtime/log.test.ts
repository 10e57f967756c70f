import { expect, test } from "vitest";
import { createLog, errorFields } from "./log.ts";

function recording() {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: createLog("info", { write: (line: string) => void lines.push(JSON.parse(line)) }) };
}

test("a line is JSON with a level in words, a time, a constant sentence and fields", () => {
  const { lines, log } = recording();
  log.child({ pool: "a/b" }).info({ from: 0 }, "pool resized");
  log.debug({}, "not at this level");
  expect(lines).toEqual([{ level: "info", time: expect.stringMatching(/^\d{4}-.*Z$/), pool: "a/b", from: 0, msg: "pool resized" }]);
});

test("fields that may hold a secret are blotted out, at the top and one level down", () => {
  const { lines, log } = recording();
  log.info({ password: "geheim", endpoint: { uri: "amqp://u:geheim@h", host: "h" } }, "connecting");
  expect(JSON.stringify(lines)).not.toContain("geheim");
  expect(lines[0]).toMatchObject({ password: "***", endpoint: { host: "h" } });
});

test("an error is told with its causes, without a login in any of them", () => {
  const error = new Error("cannot connect", { cause: new Error("amqp://u:geheim@h refused", { cause: new Error("ECONNREFUSED") }) });
  expect(errorFields(error).error).toBe("cannot connect: amqp://***@h refused: ECONNREFUSED");
  expect(JSON.stringify(errorFields(error))).not.toContain("geheim");
  expect(errorFields("plain")).toEqual({ error: "plain" });
});

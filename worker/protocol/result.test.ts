import { expect, test } from "vitest";
import { readVectors } from "../../test/vectors/load.ts";
import { chordKeys, decodePart, encodePart, joinParts, partScore } from "./canvas/chord.ts";
import { celeryError } from "./celery-errors.ts";
import { isMap } from "./json/is-value.ts";
import { decodeJson } from "./json/json.ts";
import { decodeResult, encodeResult, resultKey } from "./result.ts";
import { isException, precedence } from "./states.ts";

const rows = readVectors<{ key: string; ttl: number; value: string }>("results").filter(({ key }) => key.startsWith("celery-task-meta-"));

test.for(rows)("reads and writes $key of $version byte for byte", ({ key, value }) => {
  const payload = Buffer.from(value, "base64").toString();
  const stored = decodeResult(payload);
  const exact = decodeJson(payload, { exactFloats: true });
  if (!isMap(exact)) throw new Error("no object");
  expect(resultKey(stored.id)).toBe(key);
  const error = isException(stored.state) && exact["result"] === null ? null : undefined;
  expect(encodeResult({ ...stored, ...(stored.error ? {} : { result: exact["result"] }) })).toBe(error === null ? "" : payload);
});

test("a failure always carries an exception: Python breaks on null", () => {
  expect(encodeResult({ id: "1", state: "FAILURE" })).toContain('"result": {"exc_type": "Exception", "exc_message": [');
  expect(encodeResult({ id: "1", state: "FAILURE", error: celeryError("NotRegistered", "t"), dateDone: 0 })).toBe(
    '{"status": "FAILURE", "result": {"exc_type": "NotRegistered", "exc_message": ["t"], "exc_module": "celery.exceptions"}, "traceback": null, "children": [], "date_done": "1970-01-01T00:00:00+00:00", "task_id": "1"}',
  );
});

test("a state that is not final has no date", () => {
  expect(encodeResult({ id: "1", state: "PROGRESS", result: { done: 1 }, dateDone: 5, groupId: "g", parentId: "p" })).toBe(
    '{"status": "PROGRESS", "result": {"done": 1}, "traceback": null, "children": [], "date_done": null, "group_id": "g", "parent_id": "p", "task_id": "1"}',
  );
});

test("what is no result is refused", () => {
  expect(() => decodeResult("[1]")).toThrow("not a Celery result");
  expect(() => decodeResult("{")).toThrow("expected a property name");
});

const members = readVectors<{ name: string; commands: readonly string[] }>("redis").flatMap(({ commands }) =>
  commands
    .flatMap((command) => /^ZADD (\S+)\.j (\S+) (.*)$/.exec(command)?.slice(1, 4) ?? [])
    .reduce<string[][]>((all, part, at) => (at % 3 === 0 ? [...all, [part]] : (all.at(-1)?.push(part), all)), []),
);

test.for(members)("reads and writes a chord part as in %s", ([key = "", score = "", member = ""]) => {
  const part = decodePart(member);
  expect(chordKeys(key.replace("celery-taskset-meta-", "")).parts).toBe(`${key}.j`);
  expect(partScore(Number(score))).toBe(score);
  expect(encodePart(part.taskId, part.state, part.error ?? part.result)).toBe(member);
});

test("chord parts were recorded", () => expect(members.length).toBeGreaterThan(6));

test("a failed part fails the chord with Celery's words", () => {
  const parts = [
    encodePart("a", "SUCCESS", 1),
    encodePart("b", "FAILURE", { exc_type: "ValueError", exc_message: ["no"], exc_module: "builtins" }),
  ];
  expect(joinParts(parts.map(decodePart))).toMatchObject({ error: celeryError("ChordError", "Dependency b raised ValueError('no')") });
  expect(joinParts(parts.slice(0, 1).map(decodePart))).toEqual({ results: [1] });
  expect(partScore(undefined)).toBe("+inf");
});

test("a state of the user's own ranks between FAILURE and REVOKED", () => {
  expect(["PENDING", "PROGRESS", "SUCCESS", "REVOKED", "FAILURE"].toSorted((a, b) => precedence(a) - precedence(b))).toEqual([
    "SUCCESS",
    "FAILURE",
    "PROGRESS",
    "REVOKED",
    "PENDING",
  ]);
});

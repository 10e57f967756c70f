import { expect, test } from "vitest";
import type { Condition } from "../object.ts";
import { type ConditionInput, setConditions } from "./conditions.ts";

const then = "2026-01-01T00:00:00Z";
const later = Date.UTC(2026, 0, 1, 1, 2, 3, 456);
const pending: Condition = {
  type: "Ready",
  status: "False",
  reason: "Pending",
  message: "",
  observedGeneration: 1,
  lastTransitionTime: then,
};
const foreign: Condition = { type: "Foreign", status: "True", reason: "Theirs", message: "", lastTransitionTime: then };

const cases: readonly [why: string, said: ConditionInput, want: Partial<Condition>][] = [
  [
    "a changed status moves the time, in whole seconds",
    { status: "True", reason: "Ready", message: "" },
    { status: "True", lastTransitionTime: "2026-01-01T01:02:03Z" },
  ],
  [
    "a changed reason does not move it",
    { status: "False", reason: "SecretMissing", message: "x" },
    { reason: "SecretMissing", message: "x", lastTransitionTime: then },
  ],
  [
    "the generation is that of the object given",
    { status: "False", reason: "Pending", message: "" },
    { observedGeneration: 7, lastTransitionTime: then },
  ],
  [
    "a message beyond the schema's limit is cut",
    { status: "False", reason: "Pending", message: "x".repeat(40_000) },
    { message: "x".repeat(32_768) },
  ],
];
test.for(cases)("%s", ([, said, want]) => {
  const [ready, other] = setConditions([pending, foreign], [said], 7, later);
  expect(ready).toMatchObject({ type: "Ready", ...want });
  expect(other).toEqual(foreign);
});

test("the first condition of an object gets the time of now", () => {
  expect(setConditions(undefined, [{ status: "Unknown", reason: "Pending", message: "" }], undefined, later)).toEqual([
    { type: "Ready", status: "Unknown", reason: "Pending", message: "", lastTransitionTime: "2026-01-01T01:02:03Z" },
  ]);
});

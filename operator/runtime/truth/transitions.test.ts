import { expect, test } from "vitest";
import type { KubeObject } from "../object.ts";
import type { EventInput } from "./events.ts";
import type { Reason } from "./reasons.ts";
import { createTransitions } from "./transitions.ts";

const object: KubeObject = { apiVersion: "v1", kind: "Store", metadata: { name: "redis", uid: "u" } };

const cases: readonly [why: string, reasons: Reason[], told: Reason[]][] = [
  ["what is missing for a moment is no event", ["StoreMissing", "Ready", "Ready"], []],
  [
    "what stays missing is one, and its end is another",
    ["StoreMissing", "StoreMissing", "StoreMissing", "Ready", "Ready"],
    ["StoreMissing", "Ready"],
  ],
  ["what only the user can change is told at once, once", ["InvalidSpec", "InvalidSpec"], ["InvalidSpec"]],
  ["each reason begins a row of its own", ["StoreMissing", "SecretMissing", "SecretMissing"], ["SecretMissing"]],
  ["a state that is well is no event", ["Ready", "ScalingUp", "Ready"], []],
];
test.for(cases)("%s", ([, reasons, want]) => {
  const told: EventInput[] = [];
  const transitions = createTransitions({ record: (event) => void told.push(event) }, "Reconcile");
  for (const reason of reasons) transitions.say(object, { status: "False", reason, message: "" });
  expect(told.map(({ reason }) => reason)).toEqual(want);
});

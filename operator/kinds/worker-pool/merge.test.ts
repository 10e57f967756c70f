import { expect, test } from "vitest";
import { mergeTemplate } from "./merge.ts";

type Tree = Record<string, unknown>;

const cases: readonly [why: string, ours: Tree, theirs: Tree, merged: Tree][] = [
  ["what is not said stays", { a: 1, b: { c: 2 } }, { b: { d: 3 } }, { a: 1, b: { c: 2, d: 3 } }],
  ["null takes a field away", { a: 1, b: 2 }, { b: null }, { a: 1 }],
  ["null of a field that we do not have is nothing", { a: 1 }, { m: { x: null, y: 1 } }, { a: 1, m: { y: 1 } }],
  ["$patch: replace replaces a whole map", { r: { cpu: 1, memory: 2 } }, { r: { $patch: "replace", cpu: 5 } }, { r: { cpu: 5 } }],
  ["a plain list is replaced", { args: ["a", "b"] }, { args: ["c"] }, { args: ["c"] }],
  [
    "containers are merged by name, new ones come last",
    { containers: [{ name: "worker", image: "ours", resources: {} }] },
    {
      containers: [
        { name: "sidecar", image: "s" },
        { name: "worker", image: "theirs" },
      ],
    },
    {
      containers: [
        { name: "worker", image: "theirs", resources: {} },
        { name: "sidecar", image: "s" },
      ],
    },
  ],
  [
    "$patch: delete takes an item away",
    { containers: [{ name: "worker" }, { name: "other" }] },
    {
      containers: [
        { name: "other", $patch: "delete" },
        { name: "absent", $patch: "delete" },
      ],
    },
    { containers: [{ name: "worker" }] },
  ],
  [
    "an environment variable is replaced whole: a value and a source at once would be refused",
    {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
    },
    { env: [{ name: "A", valueFrom: { secretKeyRef: {} } }] },
    {
      env: [
        { name: "A", valueFrom: { secretKeyRef: {} } },
        { name: "B", value: "2" },
      ],
    },
  ],
  [
    "a volume is replaced whole",
    { volumes: [{ name: "tmp", emptyDir: {} }] },
    { volumes: [{ name: "tmp", hostPath: {} }] },
    { volumes: [{ name: "tmp", hostPath: {} }] },
  ],
  [
    "mounts are merged by their path",
    { volumeMounts: [{ name: "tmp", mountPath: "/tmp" }] },
    {
      volumeMounts: [
        { name: "big", mountPath: "/tmp" },
        { name: "x", mountPath: "/x" },
      ],
    },
    {
      volumeMounts: [
        { name: "big", mountPath: "/tmp" },
        { name: "x", mountPath: "/x" },
      ],
    },
  ],
  [
    "ports are merged by their number",
    { ports: [{ name: "http", containerPort: 80 }] },
    { ports: [{ containerPort: 80, hostPort: 8080 }] },
    { ports: [{ name: "http", containerPort: 80, hostPort: 8080 }] },
  ],
  [
    "a probe that asks in another way no longer asks in ours",
    { livenessProbe: { httpGet: { path: "/" }, periodSeconds: 5 } },
    { livenessProbe: { exec: { command: ["true"] } } },
    { livenessProbe: { exec: { command: ["true"] }, periodSeconds: 5 } },
  ],
];
test.for(cases)("%s", ([, ours, theirs, merged]) => {
  const before = structuredClone({ ours, theirs });
  expect(mergeTemplate(ours, theirs)).toEqual(merged);
  expect({ ours, theirs }).toEqual(before);
});

const refused: readonly [why: string, ours: Tree, theirs: Tree, message: string][] = [
  ["a map where a list must be", { args: [] }, { args: {} }, "spec.template.args is a map; it must be a list"],
  ["a text where a map must be", { spec: { a: 1 } }, { spec: "x" }, 'spec.template.spec is "x"; it must be a map'],
  [
    "a container without a name",
    { containers: [] },
    { containers: [{ image: "x" }] },
    "spec.template.containers[0].name is missing; items of containers are merged by it",
  ],
  [
    "a container that is a text",
    { containers: [] },
    { containers: ["x"] },
    'spec.template.containers[0] is "x"; it must be a map with name',
  ],
  ["an unknown directive", {}, { $patch: "merge" }, 'spec.template.$patch is "merge"; here it can only be replace'],
];
test.for(refused)("refuses %s", ([, ours, theirs, message]) => expect(() => mergeTemplate(ours, theirs)).toThrow(message));

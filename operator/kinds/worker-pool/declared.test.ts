import { expect, test } from "vitest";
import { declaredProblem } from "../../../worker/contract/declared-problem.ts";
import { declaredTasksSchema } from "../../../worker/contract/declared-tasks.ts";
import { WORKER_CONTAINER } from "../../../worker/contract/names.ts";
import { secretsOf } from "./declared.ts";
import { deploymentOf } from "./deployment.ts";
import { type WorkerPool, workerPoolKind } from "./schema.ts";

const refs = { brokerRef: { name: "rabbitmq" }, storeRef: { name: "redis" }, queues: ["q"] };
const pool = (tasks: object): WorkerPool => ({
  apiVersion: "longshore.dev/v1alpha1",
  kind: "WorkerPool",
  metadata: { name: "commands", namespace: "media" },
  spec: workerPoolKind.spec.parse({ ...refs, tasks }),
});
const inputs = { workerImage: "w:1", inputsDigest: "d", replicas: 1, queues: ["q"], broker: { name: "rabbitmq", key: "uri" } };
const env = (made: WorkerPool) => {
  const containers = deploymentOf(made, inputs).spec.template.spec.containers;
  return containers.find(({ name }) => name === WORKER_CONTAINER)?.env ?? [];
};
const secretKeyRef = { name: "hook", key: "token" };
const tasks = {
  commands: [
    {
      name: "m.cut",
      argv: ["cut", "$(input)", "$$(x)"],
      parameters: { input: { type: "string" } },
      env: [{ name: "KEY", valueFrom: { secretKeyRef } }],
    },
  ],
  http: [
    {
      name: "h.post",
      url: "https://example.test/",
      headers: [
        { name: "X-Key", valueFrom: { secretKeyRef } },
        { name: "X-Plain", value: "p" },
      ],
    },
  ],
};

test("what the worker reads is what was declared, with Secrets as variables that the kubelet fills in", () => {
  const variables = env(pool(tasks));
  expect(variables.filter(({ name }) => name.startsWith("LONGSHORE_TASK_SECRET"))).toEqual([
    { name: "LONGSHORE_TASK_SECRET_0", valueFrom: { secretKeyRef } },
  ]);
  const text = variables.find(({ name }) => name === "LONGSHORE_DECLARED_TASKS")?.value ?? "";
  // The kubelet takes $$ for a dollar.
  const read = declaredTasksSchema.parse(JSON.parse(text.replaceAll("$$", "$")));
  expect(declaredProblem(read, "")).toBeUndefined();
  expect(read.commands?.[0]).toMatchObject({
    argv: ["cut", "$(input)", "$$(x)"],
    env: [{ name: "KEY", fromEnv: "LONGSHORE_TASK_SECRET_0" }],
  });
  expect(read.http?.[0]?.headers).toEqual([
    { name: "X-Key", fromEnv: "LONGSHORE_TASK_SECRET_0" },
    { name: "X-Plain", value: "p" },
  ]);
});

test("Secrets are named with their place, so that a missing one can be", () => {
  expect(secretsOf(pool(tasks))).toEqual([
    { at: "spec.tasks.commands[0].env[0]", secret: secretKeyRef },
    { at: "spec.tasks.http[0].headers[0]", secret: secretKeyRef },
  ]);
  expect(secretsOf(pool({}))).toEqual([]);
});

test.for<[why: string, tasks: object, want: RegExp]>([
  ["a wrong placeholder", { commands: [{ name: "x", argv: ["a", "$(b)"] }] }, /^spec\.tasks\.commands\[0\]\.argv\[1\]: \$\(b\)/],
  [
    "more than a variable holds",
    { commands: [{ name: "x", argv: Array.from({ length: 20 }, () => "a".repeat(10_000)) }] },
    /spec\.tasks has \d+ bytes/,
  ],
])("%s is refused with its field", ([, given, want]) => expect(() => env(pool(given))).toThrow(want));

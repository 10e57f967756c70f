import { expect, test } from "vitest";
import { declaredProblem } from "./declared-problem.ts";
import { declaredTasksSchema } from "./declared-tasks.ts";

const command = (more: object = {}) => ({ name: "m.cut", argv: ["cut", "$(input)"], parameters: { input: { type: "string" } }, ...more });
const call = (more: object = {}) => ({ name: "h.post", url: "https://example.test/hook", ...more });
const problem = (tasks: object) => declaredProblem(declaredTasksSchema.parse(tasks), "spec.tasks");

test("well-formed tasks have no problem", () => {
  const parameters = { id: { type: "integer", minimum: 1 }, kind: { type: "string", enum: ["a"], required: false } };
  const headers = [{ name: "Authorization", valueFrom: { secretKeyRef: { name: "hook", key: "token" } } }];
  const http = [call({ url: "https://example.test/$(id)?kind=$(kind)", parameters, headers, idempotencyKey: "$(id)" })];
  expect(problem({ commands: [command({ argv: ["cut", "$(input)", "$$(input)", "a$(input)b"] })], http })).toBeUndefined();
});

test.for<[why: string, tasks: object, want: RegExp]>([
  [
    "a name that is taken",
    { commands: [command()], http: [call({ name: "m.cut" })] },
    /^spec\.tasks\.http\[0\]\.name: "m\.cut" is the name of spec\.tasks\.commands\[0\]/,
  ],
  ["a program that a message chooses", { commands: [command({ argv: ["$(input)"] })] }, /argv\[0\]: found a placeholder/],
  [
    "a placeholder without a parameter",
    { commands: [command({ argv: ["cut", "$(inptu)"] })] },
    /argv\[1\]: \$\(inptu\) names no parameter/,
  ],
  ["a key without a parameter", { commands: [command({ idempotencyKey: "$(x)" })] }, /commands\[0\]\.idempotencyKey: \$\(x\)/],
  [
    "a pattern that is none",
    { commands: [command({ parameters: { input: { type: "string", pattern: "(" } } })] },
    /parameters\.input\.pattern/,
  ],
  ["a pattern for a number", { commands: [command({ parameters: { input: { type: "integer", pattern: "1" } } })] }, /found type integer/],
  [
    "a default of another type",
    { commands: [command({ parameters: { input: { type: "string", default: 1 } } })] },
    /default: found a number, expected a string/,
  ],
  ["a variable without a source", { commands: [command({ env: [{ name: "A" }] })] }, /env\[0\] \(A\): found 0 sources/],
  [
    "a header with two sources",
    { http: [call({ headers: [{ name: "A", value: "x", fromEnv: "B" }] })] },
    /headers\[0\] \(A\): found 2 sources/,
  ],
  ["a header that is none", { http: [call({ headers: [{ name: "A B", value: "x" }] })] }, /is no header's name/],
  ["another scheme", { http: [call({ url: "file:///etc/passwd" })] }, /url: expected an http\(s\) URL/],
  [
    "a host that a message chooses",
    { http: [call({ url: "https://$(host)/", parameters: { host: { type: "string" } } })] },
    /placeholder in the host/,
  ],
  ["a login in the URL", { http: [call({ url: "https://me:secret@example.test/" })] }, /found a login in the URL/],
  ["a body for GET", { http: [call({ method: "GET", body: "Arguments" })] }, /GET has no body/],
])("%s is refused with its field", ([, tasks, want]) => {
  expect(problem(tasks)).toMatch(want);
  expect(problem(tasks)).not.toContain("secret@");
});

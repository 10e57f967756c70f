import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, openLab, untilReady } from "./worker-process.ts";

let lab: Lab;
const requests: { readonly message: IncomingMessage; readonly body: string }[] = [];
const server = createServer((message, response) => {
  let body = "";
  message.on("data", (chunk: Buffer) => (body += chunk.toString()));
  message.on("end", () => {
    requests.push({ message, body });
    // The first attempt finds it busy.
    response.writeHead(requests.length === 1 ? 503 : 200, { "content-type": "application/json" }).end('{"seen": true}');
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const declared = {
    commands: [
      { name: "c.upper", argv: ["tr", "a-z", "A-Z"], parameters: {} },
      { name: "c.say", argv: ["printf", "%s", "$(what)"], parameters: { what: { type: "string" } }, idempotencyKey: "$(what)" },
      { name: "c.fails", argv: ["sh", "-c", "echo why >&2; exit 3"] },
      { name: "c.hangs", argv: ["sleep", "600"], timeLimitSeconds: 0.3, killAfterSeconds: 1 },
    ],
    http: [
      {
        name: "h.notify",
        url: `http://127.0.0.1:${port}/hook/$(id)`,
        parameters: { id: { type: "integer" } },
        headers: [{ name: "X-Key", fromEnv: "LONGSHORE_TASK_SECRET_0" }],
        retry: { backoffSeconds: 0.1, jitter: false },
      },
    ],
  };
  lab = await openLab("worker-declared", 9);
  await lab.declare("q", { "x-queue-type": "quorum" });
  const env = { LONGSHORE_DECLARED_TASKS: JSON.stringify(declared), LONGSHORE_TASK_SECRET_0: "k", LONGSHORE_WORKER_POOL: "threads" };
  await untilReady(await lab.worker({ queues: "q", env }));
});
afterAll(async () => {
  server.close();
  await lab[Symbol.asyncDispose]();
});

test.for<[why: string, call: string, want: unknown]>([
  [
    "a command's output is its result",
    '"c.say", (), {"what": "a b; c"}',
    ["ok", { exit_code: 0, stdout: "a b; c", stderr: "", truncated: false }],
  ],
  ["stdin is empty, nothing hangs", '"c.upper"', ["ok", { exit_code: 0, stdout: "", stderr: "", truncated: false }]],
  ["wrong arguments", '"c.say", (), {"what": 1}', ["builtins.TypeError", expect.stringContaining("kwargs.what")]],
  [
    "an exit code is an exception that Python knows",
    '"c.fails"',
    ["subprocess.CalledProcessError", expect.stringContaining("returned non-zero exit status 3")],
  ],
  ["a time limit", '"c.hangs"', ["billiard.exceptions.TimeLimitExceeded", expect.stringContaining("0.3")]],
])("Python calls a program of the manifest: %s", async ([, call, want]) => {
  expect(await lab.python(`result = outcome(app.send_task(${call}))`)).toEqual(want);
});

test("Python calls a URL of the manifest, which is busy once", async () => {
  expect(await lab.python('result = outcome(app.send_task("h.notify", (), {"id": 5}))')).toEqual([
    "ok",
    { status: 200, body: { seen: true }, truncated: false },
  ]);
  const [first, second] = requests;
  expect(requests).toHaveLength(2);
  expect(second).toMatchObject({ body: '{"id":5}', message: { url: "/hook/5", headers: { "x-key": "k" } } });
  expect(first?.message.headers["idempotency-key"]).toBe(second?.message.headers["idempotency-key"]);
});

import { expect, test } from "vitest";
import { fakeClock, runOnce, type TaskCall } from "../../testing/index.ts";
import { declaredTasks } from "./index.ts";

interface Seen {
  url: string;
  init: RequestInit;
}

function stage(answer: () => Promise<Response> | Response, more: object = {}) {
  const seen: Seen[] = [];
  const fetch = async (url: URL, init: RequestInit): Promise<Response> => {
    seen.push({ url: url.href, init });
    return await answer();
  };
  const call = { name: "h.post", url: "https://example.test/hook/$(id)?q=$(id)", parameters: { id: { type: "string" } }, ...more };
  const [task] = declaredTasks(JSON.stringify({ http: [call] }), { env: { TOKEN: "t0" }, fetch, now: () => Date.UTC(2026, 0, 1) });
  if (task === undefined) throw new Error("no task");
  return { seen, task, run: (kwargs: TaskCall["kwargs"] = { id: "7" }) => runOnce(task, { kwargs }) };
}
const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
const refused = (code: string) => () => Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) }));

test("sends the arguments as JSON, with headers from the environment and a key that stays the same", async () => {
  const headers = [{ name: "Authorization", fromEnv: "TOKEN" }];
  const { run, seen } = stage(() => json({ ok: true }, 201), { headers, idempotencyKey: "hook-$(id)" });
  expect((await run()).value).toEqual({ status: 201, body: { ok: true }, truncated: false });
  expect(seen[0]).toMatchObject({
    url: "https://example.test/hook/7?q=7",
    init: { method: "POST", body: '{"id":"7"}', redirect: "manual" },
  });
  const sent = new Headers(seen[0]?.init.headers);
  expect([sent.get("authorization"), sent.get("idempotency-key"), sent.get("content-type")]).toEqual(["t0", "hook-7", "application/json"]);
});

test("GET sends none; without a key of its own the task's id is the key", async () => {
  const { run, seen } = stage(() => new Response("plain"), { method: "GET" });
  expect((await run()).value).toMatchObject({ body: "plain" });
  expect(seen[0]?.init).not.toHaveProperty("body");
  expect(new Headers(seen[0]?.init.headers).get("idempotency-key")).toBe("test-task");
});

test("values are encoded and cannot leave their place in the path", async () => {
  const { run, seen } = stage(() => json(1));
  await run({ id: "a/b?c=d#e f" });
  expect(seen[0]?.url).toBe("https://example.test/hook/a%2Fb%3Fc%3Dd%23e%20f?q=a%2Fb%3Fc%3Dd%23e%20f");
  expect((await run({ id: ".." })).outcome).toMatchObject({ kind: "failure", error: { exc_type: "TypeError" } });
  expect(seen).toHaveLength(1);
});

test.for<[why: string, answer: () => Promise<Response> | Response, more: object, want: object]>([
  ["503 is tried again", () => json({}, 503), {}, { kind: "retry", delayMs: 500 }],
  ["429 when it asks for it", () => json({}, 429, { "retry-after": "17" }), {}, { kind: "retry", delayMs: 17_000 }],
  [
    "a date to come back at",
    () => json({}, 503, { "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" }),
    {},
    { kind: "retry", delayMs: 60_000 },
  ],
  [
    "no longer than the longest wait",
    () => json({}, 503, { "retry-after": "99999" }),
    { retry: { backoffMaxSeconds: 60 } },
    { kind: "retry", delayMs: 60_000 },
  ],
  ["500 not, when the policy leaves it out", () => json({}, 500), { retry: { statuses: [503] } }, { kind: "failure" }],
  [
    "404 is a failure that names it",
    () => json({ why: "gone" }, 404),
    {},
    {
      kind: "failure",
      error: { exc_type: "HttpStatusError", exc_message: ['POST https://example.test/hook/7 answered 404: {"why":"gone"}'] },
    },
  ],
  [
    "a redirect is one, too",
    () => new Response(null, { status: 302, headers: { location: "https://evil.test/" } }),
    {},
    { kind: "failure" },
  ],
  ["a connection that was never made is tried again", refused("ECONNREFUSED"), {}, { kind: "retry" }],
  ["a POST that broke off is not", refused("ECONNRESET"), {}, { kind: "failure", error: { exc_type: "ConnectionResetError" } }],
  ["a PUT that broke off is", refused("ECONNRESET"), { method: "PUT" }, { kind: "retry" }],
  ["a POST that may be repeated is", refused("ECONNRESET"), { mode: "at-least-once" }, { kind: "retry" }],
])("%s", async ([, answer, more, want]) => {
  expect((await stage(answer, more).run()).outcome).toMatchObject(want);
});

test("no answer within the time limit: a GET is tried again, a POST fails honestly", async () => {
  /** A server that never answers. */
  const fetch = (_: URL, { signal }: RequestInit): Promise<Response> =>
    new Promise((_ok, fail) => signal?.addEventListener("abort", () => fail(signal.reason)));
  const outcome = async (method: string) => {
    const clock = fakeClock();
    const http = [{ name: "h.hang", method, url: "https://example.test/", timeLimitSeconds: 10 }];
    const [task] = declaredTasks(JSON.stringify({ http }), { env: {}, fetch, now: () => 0 });
    if (task === undefined) throw new Error("no task");
    const running = runOnce(task, { clock });
    await clock.advance(10_000);
    return (await running).outcome;
  };
  expect(await outcome("GET")).toMatchObject({ kind: "retry" });
  expect(await outcome("POST")).toMatchObject({ kind: "failure", error: { exc_type: "TimeoutError" } });
});

test("a response is read to its bound and no further", async () => {
  let pulled = 0;
  const endless = (): Response =>
    new Response(
      new ReadableStream({
        pull(controller) {
          pulled += 1;
          controller.enqueue(new Uint8Array(1_000).fill(97));
        },
      }),
    );
  const { value } = await stage(endless, { maxResponseBytes: 2_500 }).run();
  expect(value).toEqual({ status: 200, body: "a".repeat(2_500), truncated: true });
  expect(pulled).toBeLessThan(10);
});

test("a variable that is not set is named before anything is sent", async () => {
  const { run, seen } = stage(() => json(1), { headers: [{ name: "X-Key", fromEnv: "NOT_SET" }] });
  expect((await run()).outcome).toMatchObject({ kind: "failure", error: { exc_message: [expect.stringContaining("NOT_SET")] } });
  expect(seen).toEqual([]);
});

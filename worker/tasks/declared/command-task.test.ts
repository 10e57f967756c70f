import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeClock, runOnce, type TaskCall } from "../../testing/index.ts";
import { declaredTasks } from "./index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "longshore-command-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const env = { PATH: process.env["PATH"], TOKEN: "t0", CELERY_BROKER_URL: "amqp://me:hunter2@host", LONGSHORE_TASK_SECRET_0: "s3" };
const deps = { env, fetch: () => Promise.reject(new Error("no request here")), now: () => 0 };
const text = { type: "string" } as const;

/** `script` is a file's content for sh, which gets the arguments. */
function task(argv: readonly string[], more: object = {}) {
  const declared = { commands: [{ name: "t.run", argv, parameters: { a: text, b: { ...text, required: false } }, ...more }] };
  const [only] = declaredTasks(JSON.stringify(declared), deps);
  if (only === undefined) throw new Error("no task");
  return only;
}
const run = (argv: readonly string[], kwargs: TaskCall["kwargs"] = { a: "x" }, more: object = {}) =>
  runOnce(task(argv, more), { kwargs: kwargs ?? {} });

test("values stay one argument whatever is in them, and no shell sees them", async () => {
  const { value } = await run(["printf", "%s|", "$(a)", "pre-$(a)", "$$(a)", "$(b)"], { a: "x y; echo $HOME '" });
  expect(value).toMatchObject({ exit_code: 0, stdout: "x y; echo $HOME '|pre-x y; echo $HOME '|$(a)|", truncated: false });
});

test.for<[why: string, kwargs: TaskCall["kwargs"], args: TaskCall["args"], want: RegExp]>([
  ["a missing one", {}, [], /kwargs\.a/],
  ["one that nobody declared", { a: "x", c: 1 }, [], /c/],
  ["one of another type", { a: 1 }, [], /kwargs\.a.*expected string/],
  ["what a program would take for an option", { a: "--output=/etc/passwd" }, [], /kwargs\.a: must not begin with -/],
  ["a NUL", { a: "x\0y" }, [], /NUL/],
  ["positional ones", { a: "x" }, [1], /keyword arguments only/],
])("arguments are checked: %s", async ([, kwargs = {}, args = [], want]) => {
  const { outcome } = await runOnce(task(["true", "$(a)"]), { kwargs, args });
  expect(outcome).toMatchObject({ kind: "failure", error: { exc_type: "TypeError", exc_message: [expect.stringMatching(want)] } });
});

test("numbers, patterns and choices are checked; a leading dash may be allowed", async () => {
  const parameters = {
    n: { type: "integer", minimum: 1, maximum: 9 },
    kind: { ...text, enum: ["a", "b"], default: "b" },
    p: { ...text, pattern: "[a-z]+", allowLeadingDash: true, default: "q" },
  };
  const call = async (kwargs: TaskCall["kwargs"]) => (await run(["echo", "$(n)", "$(kind)", "$(p)"], kwargs, { parameters })).outcome;
  expect(await call({ n: 3 })).toMatchObject({ kind: "success", value: { stdout: "3 b q\n" } });
  for (const wrong of [{ n: 10 }, { n: 1.5 }, { n: 3, kind: "c" }, { n: 3, p: "a1" }]) {
    expect(await call(wrong)).toMatchObject({ kind: "failure", error: { exc_type: "TypeError" } });
  }
});

test("the worker's own environment is not the program's; its own and the fence are", async () => {
  const own = [
    { name: "KEY", fromEnv: "LONGSHORE_TASK_SECRET_0" },
    { name: "PLAIN", value: "p" },
  ];
  const { value } = await run(["env"], { a: "x" }, { env: own });
  const { stdout } = value as { stdout: string };
  expect(stdout.split("\n")).toEqual(
    expect.arrayContaining(["TOKEN=t0", "KEY=s3", "PLAIN=p", "LONGSHORE_FENCE=1", "LONGSHORE_TASK_ID=test-task"]),
  );
  expect(stdout).not.toMatch(/CELERY|hunter2|TASK_SECRET/);
});

test("it runs in an empty folder of its own, which goes with it", async () => {
  const { value } = await run(["sh", "-c", "pwd; ls -A | wc -l; touch left"]);
  const [cwd = "", count] = (value as { stdout: string }).stdout.split("\n");
  expect(count?.trim()).toBe("0");
  await expect(access(cwd)).rejects.toThrow();
});

test("exit codes: a failure that Python knows, a retry, a success by declaration", async () => {
  const script = ["sh", "-c", "echo out; echo why >&2; exit 75"];
  expect((await run(script)).outcome).toMatchObject({
    kind: "failure",
    error: { exc_module: "subprocess", exc_type: "CalledProcessError", exc_message: [75, script, "out\n", "why\n"] },
  });
  const retry = { maxRetries: 1, backoffSeconds: 4, jitter: false };
  const again = task(script, { retryExitCodes: [75], retry });
  expect((await runOnce(again, { kwargs: { a: "x" } })).outcome).toMatchObject({ kind: "retry", delayMs: 4_000 });
  expect((await runOnce(again, { kwargs: { a: "x" }, retries: 1 })).outcome).toMatchObject({
    kind: "failure",
    error: { exc_type: "CalledProcessError" },
  });
  expect((await run(script, { a: "x" }, { successExitCodes: [0, 75] })).value).toMatchObject({ exit_code: 75 });
});

test("a program that does not exist is a failure that names it", async () => {
  expect((await run(["no-such-program"])).outcome).toMatchObject({
    kind: "failure",
    error: { exc_type: "FileNotFoundError", exc_message: [expect.stringContaining("no-such-program")] },
  });
});

test("of too much output the beginning of stdout and the end of stderr are kept", async () => {
  const script = "yes a | head -c 3000000; (yes b | head -c 3000000; echo end) >&2";
  const { value } = await run(["sh", "-c", script], { a: "x" }, { maxOutputBytes: 1_000 });
  const { stdout, stderr, truncated } = value as { stdout: string; stderr: string; truncated: boolean };
  expect([stdout.length, stderr.length, truncated]).toEqual([1_000, 1_000, true]);
  expect([stdout.slice(0, 4), stderr.slice(-6)]).toEqual(["a\na\n", "b\nend\n"]);
});

test("at its time limit the whole group goes, also what ignores SIGTERM and what it left in the background", async () => {
  const pids = join(folder, "pids");
  const script = `trap '' TERM; sleep 600 & echo $! > ${pids}; echo $$ >> ${pids}; echo ready >> ${pids}; wait; sleep 600`;
  const clock = fakeClock();
  const stubborn = task(["sh", "-c", script], { timeLimitSeconds: 60, killAfterSeconds: 0 });
  const running = runOnce(stubborn, { kwargs: { a: "x" }, clock });
  await expect.poll(() => readFile(pids, "utf8").catch(() => ""), { timeout: 30_000 }).toContain("ready");
  await clock.advance(60_000);
  expect((await running).outcome).toMatchObject({ kind: "failure", error: { exc_type: "TimeLimitExceeded", exc_message: [60] } });
  const [child, leader] = (await readFile(pids, "utf8")).split("\n").map(Number);
  /** Dead, or a zombie that its new parent has not buried yet. */
  const gone = async (pid: number | undefined) =>
    /^[ZX]/.test((await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") X")).split(") ")[1] ?? "");
  await expect.poll(async () => [await gone(child), await gone(leader)], { timeout: 30_000 }).toEqual([true, true]);
});

test("a worker that stops tells the program, and does not repeat what may have happened", async () => {
  const stopping = new AbortController();
  const started = join(folder, "started");
  const running = runOnce(task(["sh", "-c", `touch ${started}; exec sleep 600`]), { kwargs: { a: "x" }, stopping: stopping.signal });
  await expect
    .poll(
      () =>
        access(started).then(
          () => true,
          () => false,
        ),
      { timeout: 30_000 },
    )
    .toBe(true);
  stopping.abort();
  expect((await running).outcome).toMatchObject({ kind: "failure", error: { exc_type: "EffectUnknown" } });
});

test("what is declared wrongly is named", () => {
  expect(() => declaredTasks("commands: [{name: x}]", deps)).toThrow(/LONGSHORE_DECLARED_TASKS: .*argv/s);
  expect(() => declaredTasks("commands: [", deps)).toThrow(/LONGSHORE_DECLARED_TASKS/);
  expect(() => task(["$(a)"])).toThrow(/argv\[0\]/);
});

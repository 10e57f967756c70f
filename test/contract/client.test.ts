import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Client,
  chain,
  chord,
  connect,
  group,
  immutable,
  ResultTimeoutError,
  signature,
  TaskError,
} from "../../worker/client/index.ts";
import { PyDateTime, PyValue } from "../../worker/protocol/json/value.ts";
import { encodeResult, resultKey } from "../../worker/protocol/result.ts";
import { type CeleryVersion, python } from "../cluster/cluster.ts";
import { type Lab, openLab } from "../integration/worker-process.ts";

const WAIT = { timeoutMs: 20_000 };
/** The exchange and queue of `celery_app.py`, whose tasks the tests call. */
const WORK = { exchange: "media", routingKey: "work" } as const;

class Declined extends Error {}

/** A real Python worker of that version, ready, until it is disposed. */
async function celeryWorker(lab: Lab, version: CeleryVersion): Promise<AsyncDisposable> {
  const { bin } = await python(version);
  const options = ["-A", "celery_app", "worker", "-c", "2", "-l", "INFO", "--without-gossip", "--without-mingle"];
  const child = spawn(join(bin, "celery"), options, {
    cwd: join(import.meta.dirname, "../vectors"),
    env: {
      ...process.env,
      VECTORS_BROKER: lab.brokerUrl,
      VECTORS_REDIS: lab.redisUrl,
      VECTORS_TRACK_STARTED: "1",
      PYTHONDONTWRITEBYTECODE: "1",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exit = once(child, "exit");
  const output: string[] = [];
  const ready = new Promise<void>((resolve) => {
    child.stderr.on("data", (chunk: Buffer) => {
      output.push(chunk.toString());
      if (output.join("").includes(" ready.")) resolve();
    });
  });
  // Its queue is declared by then; before, a message would be unroutable.
  await Promise.race([ready, exit.then(() => Promise.reject(new Error(`celery ended: ${output.join("")}`)))]);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exit;
    },
  };
}

describe.for<[CeleryVersion, number]>([
  ["5.6", 8],
  ["5.7", 9],
])("with a worker of Celery %s", ([version, database]) => {
  let lab: Lab;
  let worker: AsyncDisposable;
  let client: Client;
  const troubles: string[] = [];
  beforeAll(async () => {
    lab = await openLab(`client-${version.replace(".", "-")}`, database);
    worker = await celeryWorker(lab, version);
    client = connect({
      brokerUrl: lab.brokerUrl,
      resultBackend: lab.redisUrl,
      routes: { "celery_app.*": WORK, "no.such": WORK },
      errors: { "celery_app.PaymentDeclined": (what, code) => new Declined(`${String(what)} ${String(code)}`) },
      onTrouble: (message) => troubles.push(message),
    });
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await worker[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  /** Commands that cut the client's own subscriptions, and nobody else's on this Redis. */
  const killListeners = async (): Promise<string[][]> => {
    const clients = String(await lab.redis.call("CLIENT", "LIST")).split("\n");
    const own = clients.filter((line) => line.includes(" name=longshore-client-subscribe ") && line.includes(` db=${database} `));
    return own.map((line) => ["client", "KILL", "ID", /id=(\d+)/.exec(line)?.[1] ?? ""]);
  };

  test("runs a task, positional and by keyword, and returns its value", async () => {
    const add = client.task<[number, number], number>("celery_app.add");
    const result = await add.delay(1, 2);
    const value: number = await result.get(WAIT);
    expect(value).toBe(3);
    expect(await (await client.send("celery_app.add", [], { x: 1.5, y: 2 })).get(WAIT)).toBe(3.5);
    expect(await result.read()).toMatchObject({ id: result.id, state: "SUCCESS", result: 3 });
    await result.forget();
    expect(await result.read()).toMatchObject({ state: "PENDING" });
  });

  test("Python gets each value as what it is, and gives it back", async () => {
    const values = {
      when: new PyDateTime("2026-01-02T03:04:05.678901+05:30"),
      naive: new PyDateTime("2026-01-02T03:04:05"),
      day: new PyValue("date", "2026-01-02"),
      price: new PyValue("decimal", "1.50"),
      id: new PyValue("uuid", "12345678-1234-5678-1234-567812345678"),
      text: "it's ü 日本 😀 \u2028",
      raw: new Uint8Array([255, 0, 1]),
      big: 2n ** 64n,
      numbers: [Number.NaN, Infinity, -Infinity, 1e300, 1e-7, -5],
      nothing: [null, true, {}],
    };
    const back = await (await client.send("celery_app.echo", [values])).get(WAIT);
    expect(back).toEqual(values);
  });

  test.for([
    [
      "celery_app.fail",
      ["no such clip"],
      { name: "ValueError", message: "no such clip", pyClass: "builtins.ValueError", state: "FAILURE" },
    ],
    ["celery_app.add", [1], { name: "TypeError", pyArgs: ["add() missing 1 required positional argument: 'y'"] }],
    ["no.such", [], { name: "NotRegistered", message: "no.such" }],
    ["celery_app.hard_limited", [], { name: "TimeLimitExceeded", pyArgs: [0.5] }],
  ] as const)("%s fails as what it is", async ([name, args, want]) => {
    const result = await client.send(name, args, {}, name === "celery_app.hard_limited" ? { timeLimit: { hard: 0.5 } } : {});
    const error: unknown = await result.get(WAIT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TaskError);
    expect(error).toMatchObject({ ...want, taskId: result.id });
  });

  test("a class of one's own comes back as that class", async () => {
    const result = await client.send("celery_app.fail_own");
    await expect(result.get(WAIT)).rejects.toThrow(new Declined("card 42"));
  });

  test("waits for its time, and never runs after its end", async () => {
    const start = Date.now();
    expect(await (await client.send("celery_app.echo", ["late"], {}, { countdownMs: 600 })).get(WAIT)).toBe("late");
    expect(Date.now() - start).toBeGreaterThanOrEqual(600);
    const expired = await client.send("celery_app.echo", ["x"], {}, { countdownMs: 900, expires: 300 });
    await expect(expired.get(WAIT)).rejects.toMatchObject({ name: "TaskRevokedError", message: "expired" });
  });

  test("chain, group, chord and links", async () => {
    const add = (...args: number[]) => signature("celery_app.add", args);
    const echo = (value: string) => immutable(signature("celery_app.echo", [value]));
    expect(await (await client.apply(chain(add(1, 2), add(3), add(4)))).get(WAIT)).toBe(10);
    const results = await client.applyGroup([add(1, 2), add(3, 4)]);
    expect(await Promise.all(results.map((result) => result.get(WAIT)))).toEqual([3, 7]);
    expect(await (await client.apply(chord([add(1, 2), add(3, 4)], signature("celery_app.tsum")))).get(WAIT)).toBe(10);
    expect(await (await client.apply(chain(add(1, 2), group(add(1), add(2)), signature("celery_app.tsum")))).get(WAIT)).toBe(9);
    const linked = { ...echo("linked"), options: { task_id: `linked-${version}` } };
    await client.send("celery_app.add", [1, 2], {}, { link: [linked] });
    expect(await client.result(`linked-${version}`).get(WAIT)).toBe("linked");
  });

  test("tells of the states on the way", async () => {
    const states: unknown[] = [];
    const result = await client.send("celery_app.progress");
    await result.get({ ...WAIT, onState: ({ state, result: details }) => states.push([state, details]) });
    expect(states).toContainEqual(["PROGRESS", { done: 1, total: 2 }]);
  });

  test("a result that comes while the connection is lost is not missed", async () => {
    const key = resultKey("made-by-hand");
    const waiting = client.result("made-by-hand").get(WAIT);
    await expect.poll(() => lab.redis.call("PUBSUB", "NUMSUB", key)).toEqual([key, 1]);
    const row = encodeResult({ id: "made-by-hand", state: "SUCCESS", result: "there" });
    // In one transaction, so that nobody listens any more when it is published.
    await lab.redis
      .multi(await killListeners())
      .set(key, row)
      .publish(key, row)
      .exec();
    expect(await waiting).toBe("there");
  });

  test("a connection that is lost again and again harms nothing but itself", async () => {
    const key = resultKey("made-while-flapping");
    const waiting = client.result("made-while-flapping").get(WAIT);
    for (let cut = 0; cut < 10; cut += 1) {
      await expect.poll(async () => (await killListeners()).length).toBeGreaterThan(0);
      await lab.redis.multi(await killListeners()).exec();
    }
    await lab.redis.set(key, encodeResult({ id: "made-while-flapping", state: "SUCCESS", result: "there" }));
    expect(await waiting).toBe("there");
  });

  test("gives up waiting when told, and leaves nothing behind", async () => {
    const nobody = client.result("never-sent");
    await expect(nobody.get({ timeoutMs: 50 })).rejects.toThrow(ResultTimeoutError);
    await expect(nobody.get({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    await expect.poll(() => lab.redis.call("PUBSUB", "CHANNELS", "celery-task-meta-never-sent")).toEqual([]);
  });

  test("a message that no queue takes is an error, without a password", async () => {
    await expect(client.send("x", [], {}, { queue: "nobody-declared-it" })).rejects.toMatchObject({ failure: "unroutable" });
    expect(troubles.join()).not.toContain(lab.broker.password);
  });
});

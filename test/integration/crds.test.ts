import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { KINDS } from "../../operator/kinds/index.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";

const ROOT = join(import.meta.dirname, "../..");

let api: ApiServer;
beforeAll(async () => {
  api = await startApiServer();
  const { code, error } = await api.kubectl(["apply", "--server-side", "-f", join(ROOT, "crds")]);
  expect(error).toBe("");
  expect(code).toBe(0);
  expect((await api.kubectl(["wait", "--for=condition=Established", "--timeout=20s", "crd", "--all"])).code).toBe(0);
});
afterAll(() => api?.[Symbol.asyncDispose]());

const apply = (object: object, ...flags: readonly string[]) => api.kubectl(["apply", ...flags, "-f", "-"], JSON.stringify(object));
const object = (kind: string, name: string, spec: object) => ({ apiVersion: "longshore.dev/v1alpha1", kind, metadata: { name }, spec });
const brokerRef = { name: "rabbitmq" };
const queue = (spec: object = {}, name = "q") => object("Queue", name, { brokerRef, ...spec });
const exchange = (spec: object = {}, name = "x") => object("Exchange", name, { brokerRef, ...spec });
const superStream = (spec: object, name = "s") => object("SuperStream", name, { brokerRef, ...spec });
const binding = (spec: object) => object("Binding", "b", { brokerRef, source: "x", destination: "q", ...spec });
const pool = (spec: object = {}, name = "p") =>
  object("WorkerPool", name, { brokerRef, storeRef: { name: "redis" }, queues: ["q"], ...spec });
const scaling = (spec: object) => pool({ autoscaling: { backlogPerReplica: 5, ...spec } });

describe("what must apply", () => {
  test("the user's first manifest does, as it stands", async () => {
    const { code, error, out } = await api.kubectl(["apply", "-f", join(ROOT, "manifests/video-pool.yaml")]);
    expect(error).toBe("");
    expect(code).toBe(0);
    expect(out.trim().split("\n")).toHaveLength(5);
  });
  test("defaults are filled in", async () => {
    const { out } = await apply(scaling({}), "--dry-run=server", "-o", "json");
    expect((JSON.parse(out) as { spec: object }).spec).toMatchObject({
      runtime: "longshore",
      concurrency: 1,
      autoscaling: {
        minReplicas: 0,
        maxReplicas: 10,
        cooldownSeconds: 30,
        mode: "Active",
        scaleUp: { windowSeconds: 0 },
        scaleDown: { windowSeconds: 15, drainTimeoutSeconds: 0 },
      },
    });
  });
  test("arguments keep the types that the YAML gave them", async () => {
    const given = {
      "x-quorum-initial-group-size": 3,
      "x-max-length-bytes": 1_000_000_000,
      on: true,
      text: "3",
      list: [1, "a"],
      deep: { a: 1.5 },
    };
    await apply(queue({ arguments: given }, "typed"));
    const { out } = await api.kubectl(["get", "queue", "typed", "-o", "json"]);
    expect((JSON.parse(out) as { spec: { arguments: unknown } }).spec.arguments).toEqual(given);
  });
  const accepted: readonly [why: string, object: object][] = [
    [
      "a pool of another runtime needs no store",
      object("WorkerPool", "c", {
        brokerRef,
        queues: ["q"],
        runtime: "celery",
        template: { spec: { containers: [{ name: "worker", image: "x" }] } },
      }),
    ],
    ["queues by name and by map", pool({ queues: ["a", { name: "b", weight: 0.5 }] })],
    [
      "a queue of every argument",
      queue({
        type: "classic",
        maxPriority: 5,
        expires: "24h",
        maxLengthBytes: "1Gi",
        overflow: "drop-head",
        messageTTL: "1h30m",
        deadLetter: { exchange: "" },
      }),
    ],
    ["a plugin's exchange", exchange({ type: "x-consistent-hash" })],
    ["names with slash, space and umlaut", queue({ name: "ä/b c%" })],
  ];
  test.for(accepted)("%s", async ([, given]) => expect(await apply(given, "--dry-run=server")).toMatchObject({ code: 0, error: "" }));

  test("the sample of every kind does", async () => {
    const files = (await readdir(join(ROOT, "manifests/samples"))).map((file) => join(ROOT, "manifests/samples", file));
    const kinds = (await Promise.all(files.map((file) => readFile(file, "utf8")))).map((text) => (parse(text) as { kind: string }).kind);
    expect(new Set(kinds)).toEqual(new Set(KINDS.map(({ kind }) => kind)));
    expect(await api.kubectl(["apply", "--dry-run=server", ...files.flatMap((file) => ["-f", file])])).toMatchObject({
      code: 0,
      error: "",
    });
  });
});

test("the examples apply", async () => {
  expect(await api.kubectl(["apply", "--dry-run=server", "-f", join(ROOT, "manifests/examples")])).toMatchObject({ code: 0, error: "" });
});

describe("what is refused, with the field's path", () => {
  const refused: readonly [why: string, object: object, path: string, because: string][] = [
    ["a wrong type", pool({ concurrency: "2" }), "spec.concurrency", "must be of type integer"],
    ["an unknown field", pool({ concurency: 2 }), "spec.concurency", "unknown field"],
    ["an unknown field, deep", scaling({ scaleUp: { max: 1 } }), "spec.autoscaling.scaleUp.max", "unknown field"],
    ["a pool without queues", pool({ queues: [] }), "spec.queues", "at least 1 items"],
    [
      "children of a pool that has none",
      pool({ pool: { type: "async", maxTasksPerChild: 9 } }),
      "spec.pool",
      "need type threads or processes",
    ],
    [
      "a soft limit past the hard one",
      pool({ softTimeLimitSeconds: 9, timeLimitSeconds: 9 }),
      "spec.softTimeLimitSeconds",
      "must be below",
    ],
    [
      "a program that is no list",
      pool({ tasks: { commands: [{ name: "x", argv: "ls" }] } }),
      "spec.tasks.commands[0].argv",
      "must be of type array",
    ],
    ["queues that are no list", pool({ queues: "q" }), "spec.queues", "must be of type array"],
    ["a missing field", object("WorkerPool", "p", { queues: ["q"] }), "spec.brokerRef", "Required value"],
    ["no spec at all", { apiVersion: "longshore.dev/v1alpha1", kind: "Queue", metadata: { name: "q" } }, "spec", "Required value"],
    ["an empty queue name", pool({ queues: [""] }), "spec.queues[0]", "at least 1 chars long"],
    ["a queue with neither name nor pattern", pool({ queues: [{ weight: 1 }] }), "spec.queues[0]", "at least one schema (anyOf)"],
    ["a weight out of bounds", pool({ queues: [{ name: "q", weight: -1 }] }), "spec.queues[0].weight", "greater than or equal to 0"],
    ["too many slots", pool({ concurrency: 5_000 }), "spec.concurrency", "less than or equal to 1000"],
    [
      "a pool without a store",
      object("WorkerPool", "p", { brokerRef, queues: ["q"] }),
      "spec.storeRef",
      "storeRef is required for runtime longshore",
    ],
    ["a Celery pool without an image", pool({ runtime: "celery" }), "spec.template", "template is required"],
    ["tasks for another's image", pool({ runtime: "custom", template: {}, tasks: {} }), "spec.tasks", "tasks need runtime longshore"],
    ["a runtime that does not exist", pool({ runtime: "java" }), "spec.runtime", 'supported values: "longshore", "celery", "custom"'],
    [
      "a minimum over the maximum",
      scaling({ minReplicas: 5, maxReplicas: 2 }),
      "spec.autoscaling.minReplicas",
      "must not exceed maxReplicas",
    ],
    ["autoscaling without a target", pool({ autoscaling: { maxReplicas: 5 } }), "spec.autoscaling.backlogPerReplica", "say the target"],
    [
      "a floor over the maximum",
      scaling({ floors: [{ cron: "0 8 * * *", durationMinutes: 5, minReplicas: 50 }] }),
      "spec.autoscaling.floors",
      "must not exceed maxReplicas",
    ],
    ["a pool name too long for a label", pool({}, "p".repeat(64)), "metadata.name", "may not be more than 63"],
    ["a duration in words", queue({ messageTTL: "1 hour" }), "spec.messageTTL", "should match"],
    ["a queue type that does not exist", queue({ type: "mirrored" }), "spec.type", "Unsupported value"],
    ["a quorum queue that is not durable", queue({ durable: false }), "spec.type", "always durable"],
    ["priorities on a quorum queue", queue({ maxPriority: 5 }), "spec.maxPriority", "needs type classic"],
    [
      "a strategy that the broker would silently drop",
      queue({ deadLetter: { exchange: "d", strategy: "at-least-once" } }),
      "spec.deadLetter",
      "needs overflow reject-publish",
    ],
    [
      "a strategy on a classic queue",
      queue({ type: "classic", deadLetter: { exchange: "d", strategy: "at-most-once" } }),
      "spec.deadLetter",
      "needs type quorum",
    ],
    [
      "an overflow that a quorum queue would silently drop",
      queue({ overflow: "reject-publish-dlx" }),
      "spec.overflow",
      "needs type classic",
    ],
    ["a stream with a length", queue({ type: "stream", maxLength: 5 }), "spec.maxLength", "needs type classic or quorum"],
    [
      "a cron of six fields",
      scaling({ floors: [{ cron: "0 0 8 * * *", durationMinutes: 5, minReplicas: 1 }] }),
      "spec.autoscaling.floors[0].cron",
      "should match",
    ],
    ["the broker's own names", queue({ name: "amq.gen-1" }), "spec.name", "belong to the broker"],
    ["a name of 256 bytes", queue({ name: "ä".repeat(128) }), "spec.name", "at most 255 bytes"],
    ["the broker's own names, by the object's name", queue({}, "amq.gen-1"), "metadata.name", "belong to the broker"],
    ["a super stream of the broker's own names", superStream({}, "amq.s"), "metadata.name", "belong to the broker"],
    ["a partition whose name is too long", superStream({ routingKeys: ["ab"] }, "s".repeat(253)), "metadata.name", "at most 255 bytes"],
    ["a partition twice", superStream({ routingKeys: ["a", "a"] }), "spec.routingKeys", "twice"],
    ["a routing key of 256 bytes", binding({ routingKey: "ä".repeat(128) }), "spec.routingKey", "at most 255 bytes"],
    ["an exchange of 256 bytes", binding({ source: "ä".repeat(128) }), "spec.source", "at most 255 bytes"],
    ["a binding from the default exchange", binding({ source: "" }), "spec.source", "at least 1 chars"],
    ["the default exchange", exchange({ name: "" }), "spec.name", "at least 1 chars"],
    ["bytes that are none", queue({ maxLengthBytes: "5 MB" }), "spec.maxLengthBytes", "such as 100000, 512Mi or 1Gi"],
    ["a name that is a step in a path", queue({ name: ".." }), "spec.name", "cannot speak of"],
    [
      "a user whose name is one",
      object("Permission", "p", { brokerRef, user: ".", configure: "", write: "", read: "" }),
      "spec.user",
      "cannot speak of",
    ],
    ["a tag that the broker would spoil", object("User", "u", { brokerRef, tags: ["ä"] }), "spec.tags[0]", "should match"],
    ["a name of 256 characters", exchange({ name: "a".repeat(256) }), "spec.name", "may not be more than 255"],
    ["an exchange type that does not exist", exchange({ type: "topics" }), "spec.type", "should match"],
    ["a Broker without a Secret", object("Broker", "b", { uriFrom: {} }), "spec.uriFrom.secretKeyRef", "Required value"],
  ];
  test.for(refused)("%s", async ([, given, path, because]) => {
    const { code, error } = await apply(given, "--dry-run=server");
    expect(code).toBe(1);
    expect(error).toContain(path);
    expect(error).toContain(because);
  });
});

describe("what cannot be changed", () => {
  const queueOf = (spec: object) => queue(spec, "fixed");
  const exchangeOf = (spec: object) => exchange({ name: "named", ...spec }, "fixed");
  const changes: readonly [why: string, before: object, after: object, path: string][] = [
    ["a queue's type", queueOf({ type: "quorum" }), queueOf({ type: "classic" }), "spec.type"],
    ["a name that was not set", queueOf({}), queueOf({ name: "other" }), "spec.name"],
    ["a name that was set", exchangeOf({}), exchangeOf({ name: "other" }), "spec.name"],
    ["a name that is taken away", exchangeOf({}), exchangeOf({ name: undefined }), "spec.name"],
    ["the Broker", queueOf({}), queueOf({ brokerRef: { name: "other" } }), "spec.brokerRef"],
    ["a partition's place", superStream({ routingKeys: ["a", "b"] }), superStream({ routingKeys: ["b", "a"] }), "spec.routingKeys"],
    ["a pool's runtime", pool({}, "fixed"), pool({ runtime: "custom", template: {} }, "fixed"), "spec.runtime"],
  ];
  test.for(changes)("%s", async ([, before, after, path]) => {
    expect(await apply(before)).toMatchObject({ code: 0 });
    const { code, error } = await apply(after);
    expect([code, error]).toEqual([1, expect.stringContaining(`${path}: Invalid value`)]);
    expect(error).toMatch(/cannot be changed: delete the|can only grow/);
  });
  test("the rest can", async () => {
    await apply(queueOf({}));
    expect(await apply(queueOf({ maxLength: 5, maxLengthBytes: 1_000_000_000, bindings: [{ exchange: "x" }] }))).toMatchObject({ code: 0 });
  });
});

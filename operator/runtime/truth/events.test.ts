import { expect, test } from "vitest";
import { createFakeClock, settled } from "../../../test/fakes/clock.ts";
import { createFakeKube } from "../../../test/fakes/kube.ts";
import { createRecordingLog } from "../../../test/fakes/log.ts";
import { KubeError } from "../kube-error.ts";
import type { KubeObject } from "../object.ts";
import { createEventRecorder } from "./events.ts";

const regarding: KubeObject = { apiVersion: "v1", kind: "Store", metadata: { name: "redis", namespace: "shop", uid: "u1" } };
const unreachable = { regarding, reason: "StoreUnreachable", action: "Probe", note: "redis:6379: refused" } as const;

function setup() {
  const [kube, clock, log] = [createFakeKube(), createFakeClock(), createRecordingLog()];
  const writes = () =>
    kube.calls.filter(({ verb }) => verb === "create" || verb === "patch").map(({ verb, body }) => [verb, body] as const);
  return { kube, clock, log, writes, recorder: createEventRecorder({ kube, clock, log, instance: "operator-1" }) };
}

test("repeats are counted and written together, at most every 10 s", async () => {
  const { recorder, clock, writes } = setup();
  for (let repeat = 0; repeat < 5; repeat++) recorder.record(unreachable);
  expect(writes()).toHaveLength(1);
  await clock.advance(10_000);
  expect(writes()).toHaveLength(2);
  expect(writes()[1]).toEqual(["patch", { series: { count: 5, lastObservedTime: "2026-01-01T00:00:00.000000Z" } }]);
});

test("after six quiet minutes it is an event of its own again", async () => {
  const { recorder, clock, writes } = setup();
  recorder.record(unreachable);
  await clock.advance(360_001);
  recorder.record(unreachable);
  expect(writes().map(([verb]) => verb)).toEqual(["create", "create"]);
});

test("an event that cannot be written is logged and lost; in a namespace that ends it is not even worth a warning", async () => {
  const { kube, recorder, log } = setup();
  kube.failNext("create", new KubeError(0, "Unreachable", "gone"));
  recorder.record(unreachable);
  kube.failNext("create", new KubeError(403, "Forbidden", "unable to create new content because it is being terminated"));
  recorder.record({ ...unreachable, note: "another" });
  await recorder[Symbol.asyncDispose]();
  expect(log.lines.map(({ level }) => level)).toEqual(["warn", "debug"]);
});

test("a series is written only after its event is there, however long that takes, and never for an event that was lost", async () => {
  const { kube, clock, log } = setup();
  const slow = Promise.withResolvers<void>();
  const order: string[] = [];
  const recorder = createEventRecorder({
    clock,
    log,
    instance: "operator-1",
    kube: {
      async create(resource, object) {
        await slow.promise;
        order.push("created");
        return kube.create(resource, object);
      },
      async patch(...args) {
        order.push("patched");
        return kube.patch(...args);
      },
    },
  });
  recorder.record(unreachable);
  recorder.record(unreachable);
  const disposed = recorder[Symbol.asyncDispose]();
  await settled();
  slow.resolve();
  await disposed;
  expect(order).toEqual(["created", "patched"]);
  expect(log.lines).toEqual([]);

  const lossy = createEventRecorder({ kube, clock, log, instance: "operator-2" });
  const before = kube.calls.length;
  kube.failNext("create", new KubeError(0, "Unreachable", "gone"));
  lossy.record(unreachable);
  lossy.record(unreachable);
  await lossy[Symbol.asyncDispose]();
  expect(kube.calls.slice(before).map(({ verb }) => verb)).toEqual(["create"]);
});

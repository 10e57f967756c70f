import { expect, test } from "vitest";
import { createDrainer } from "./drain.ts";

/** Two pods of one queue; answers are given by hand. */
function lab() {
  let now = 0;
  const patches: [pod: string, annotations: object][] = [];
  const asks: { method: string; answer: (pods: readonly string[]) => void }[] = [];
  const drainer = createDrainer({
    kube: {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody looks at the answer
      patch: <T>(_: unknown, __: unknown, pod: string, body: object) => {
        patches.push([pod, (body as { metadata: { annotations: object } }).metadata.annotations]);
        return Promise.resolve({} as T);
      },
    },
    namespace: "default",
    queues: () => ["q"],
    control: () => ({
      ask: (method) =>
        new Promise((resolve) =>
          asks.push({ method, answer: (pods) => resolve(new Map(pods.map((pod) => [`celery@${pod}`, { ok: method }]))) }),
        ),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
    elapsed: () => now,
    now: () => now,
  });
  return { drainer, patches, asks, wait: (ms: number) => (now += ms) };
}
const FREE = { "longshore.dev/draining": null, "controller.kubernetes.io/pod-deletion-cost": null };

test("only pods that answer are cordoned", async () => {
  const { drainer, asks } = lab();
  const done = drainer.cordon(["a", "b"]);
  asks[0]?.answer(["a"]);
  await done;
  expect([drainer.cordonOf("a")?.cordonedAt, drainer.cordonOf("b")?.cordonedAt]).toEqual([0, undefined]);
});

test("a pod that does not confirm to be back keeps its marks, and is asked again after a while, not at once", async () => {
  const { drainer, asks, patches, wait } = lab();
  const done = drainer.pardon(["a", "b"], new Set());
  expect(drainer.unasked(["a", "b", "c"])).toEqual(["c"]);
  asks[0]?.answer(["a"]);
  await done;
  expect(patches).toEqual([["a", FREE]]);
  wait(5_000);
  expect(drainer.unasked(["b"])).toEqual(["b"]);
});

test("a pod that is known to consume is not asked", async () => {
  const { drainer, asks, patches } = lab();
  await drainer.pardon(["a"], new Set("a"));
  expect([asks, patches]).toEqual([[], [["a", FREE]]]);
});

test("the later word counts: a cordon that is confirmed after the pardon is none", async () => {
  const { drainer, asks } = lab();
  const cordon = drainer.cordon(["a"]);
  void drainer.pardon(["a"], new Set());
  asks[0]?.answer(["a"]);
  await cordon;
  expect(drainer.cordonOf("a")?.cordonedAt).toBeUndefined();
});

test("the later word counts: a pardon that is confirmed after the next cordon takes no marks away", async () => {
  const { drainer, asks, patches } = lab();
  const pardon = drainer.pardon(["a"], new Set());
  const cordon = drainer.cordon(["a"]);
  asks[0]?.answer(["a"]);
  asks[1]?.answer(["a"]);
  await Promise.all([pardon, cordon]);
  expect(patches).toEqual([]);
  expect(drainer.cordonOf("a")).toMatchObject({ cordonedAt: 0 });
});

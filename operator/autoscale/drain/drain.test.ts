import { expect, test } from "vitest";
import type { RemoteControlPort } from "../../adapters/ports.ts";
import { createDrainer } from "./drain.ts";

/** Two pods of one queue; answers are given by hand. */
function lab({ cooperates = true, connected = true } = {}) {
  let now = 0;
  let patching: Promise<unknown> = Promise.resolve();
  const patches: [pod: string, annotations: object][] = [];
  const asks: { method: string; answer: (pods: readonly string[]) => void }[] = [];
  const control: RemoteControlPort = {
    ask: (method) =>
      new Promise((resolve) =>
        asks.push({ method, answer: (pods) => resolve(new Map(pods.map((pod) => [`celery@${pod}`, { ok: method }]))) }),
      ),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const drainer = createDrainer({
    kube: {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody looks at the answer
      patch: <T>(_: unknown, __: unknown, pod: string, body: object) => {
        patches.push([pod, (body as { metadata: { annotations: object } }).metadata.annotations]);
        return patching.then(() => ({}) as T);
      },
    },
    namespace: "default",
    queues: () => ["q"],
    cooperates: () => cooperates,
    control: () => (connected ? control : undefined),
    elapsed: () => now,
    now: () => now,
  });
  return {
    drainer,
    patches,
    asks,
    wait: (ms: number) => (now += ms),
    patchesTake: (until: Promise<unknown>): void => void (patching = until),
  };
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

test("the later word counts: a cordon that begins while the marks are taken away puts the mark back", async () => {
  const { drainer, asks, patches, patchesTake } = lab();
  const patched = Promise.withResolvers<void>();
  patchesTake(patched.promise);
  const pardon = drainer.pardon(["a"], new Set("a"));
  await expect.poll(() => patches).toEqual([["a", FREE]]);
  const cordon = drainer.cordon(["a"]);
  patched.resolve();
  asks[0]?.answer(["a"]);
  await Promise.all([pardon, cordon]);
  expect(patches).toEqual([
    ["a", FREE],
    ["a", { "longshore.dev/draining": "1970-01-01T00:00:00Z" }],
  ]);
});

test("without a connection nobody can be called back, and no mark is lost; without remote control nobody has to be", async () => {
  const cut = lab({ connected: false });
  await cut.drainer.pardon(["a"], new Set());
  expect([cut.patches, cut.drainer.unasked(["a"])]).toEqual([[], ["a"]]);
  const foreign = lab({ cooperates: false, connected: false });
  await foreign.drainer.pardon(["a"], new Set());
  expect([foreign.asks, foreign.patches]).toEqual([[], [["a", FREE]]]);
});

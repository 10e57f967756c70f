import { expect, test } from "vitest";
import { createRecordingLog } from "../../../test/fakes/log.ts";
import type { Deployment } from "../../kinds/worker-pool/deployment.ts";
import type { Pod } from "../../kinds/worker-pool/pods.ts";
import { createLinks } from "../../runtime/links.ts";
import { createVerdicts } from "../drain/verify.ts";
import { createScaleView } from "../scale-view.ts";
import { paced } from "../sense/pace.ts";
import { addNeed, highestNeed, lowestNeed, type NeedWindow } from "./window.ts";

const deployment = (replicas: number, resourceVersion: string): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "a", resourceVersion },
  spec: { replicas, selector: { matchLabels: {} }, template: { metadata: { labels: {}, annotations: {} }, spec: { containers: [] } } },
});
const pod = (name: string, leaving = false): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...(leaving && { deletionTimestamp: "2026-01-01T00:00:00Z" }) },
});

test("our own patch is believed until the cache has caught up", () => {
  const view = createScaleView(0);
  expect(view.replicas(deployment(3, "10"), 0)).toBe(3);
  view.patched(9, "20", 0);
  expect(view.replicas(deployment(3, "19"), 100)).toBe(9);
  expect(view.replicas(deployment(9, "20"), 100)).toBe(9);
  expect(view.replicas(deployment(4, "21"), 100)).toBe(4);
  // A cache that lags for longer than that is the truth that we have.
  expect(view.replicas(deployment(3, "19"), 6_000)).toBe(3);
});

test("another pod that goes instead of the drained one is told once, after the controller had its time", () => {
  const verdicts = createVerdicts();
  verdicts.expect(["a"], [pod("a"), pod("b"), pod("c")], 0);
  const wrong = [pod("a"), pod("b", true), pod("c")];
  expect(verdicts.check(wrong, 500)).toEqual([]);
  expect(verdicts.check(wrong, 2_500)).toEqual(["b went instead of a"]);
  expect(verdicts.check(wrong, 3_000)).toEqual([]);
});

test("the drained pod that goes is no surprise, nor are others that go with it", () => {
  const verdicts = createVerdicts();
  verdicts.expect(["a"], [pod("a"), pod("b")], 0);
  expect(verdicts.check([pod("a", true), pod("b", true)], 2_500)).toEqual([]);
});

test("equal targets share a link, a changed login is another one, and what nobody asks for is closed", async () => {
  const closed: string[] = [];
  const open = ({ login }: { login: string }) => ({ login, [Symbol.asyncDispose]: () => Promise.resolve(void closed.push(login)) });
  await using links = createLinks(open, createRecordingLog());
  expect(links.to({ login: "a" })).toBe(links.to({ login: "a" }));
  links.sweep();
  expect(links.to({ login: "b" })).not.toBe(links.to({ login: "b2" }));
  links.sweep();
  expect(closed).toEqual(["a"]);
});

test("work that is paced runs once at a time, not before its time, and seldom when it takes long", async () => {
  let [now, runs] = [0, 0];
  const pace = paced(1_000);
  const work = (takes: number) => () => Promise.resolve(void ((now += takes), runs++));
  await Promise.all([pace(() => now, work(0)), pace(() => now, work(0))]);
  now = 999;
  await pace(() => now, work(0));
  expect(runs).toBe(1);
  now = 1_000;
  await pace(() => now, work(500));
  now = 5_999;
  await pace(() => now, work(0));
  expect(runs).toBe(2);
  now = 6_000;
  await pace(() => now, work(0));
  expect(runs).toBe(3);
});

test("a window knows the highest and lowest need within it, and of the time before its beginning nothing", () => {
  let window: NeedWindow = [];
  for (const [at, replicas] of [
    [0, 2],
    [1_000, 9],
    [2_000, 3],
    [3_000, 3],
    [9_000, 1],
  ] as const) {
    window = addNeed(window, replicas, at, 10_000);
  }
  expect(highestNeed(window, 9_000, 10_000)).toBe(9);
  expect(highestNeed(window, 9_000, 7_000)).toBe(3);
  expect(lowestNeed(window, 9_000, 5_000)).toBe(1);
  expect(lowestNeed(window, 8_000, 4_000)).toBe(1);
  expect(lowestNeed(window.slice(2), 9_000, 8_000)).toBe(0);
  expect(addNeed(window, 1, 30_000, 10_000)).toEqual([{ from: 9_000, replicas: 1 }]);
});

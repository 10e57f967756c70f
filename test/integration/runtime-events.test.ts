import { afterAll, beforeAll, expect, test } from "vitest";
import { loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import { createKube } from "../../operator/adapters/kubernetes/kube.ts";
import type { KubePort, Resource } from "../../operator/adapters/ports.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";
import { createSecretReader } from "../../operator/runtime/secrets.ts";
import { createEventRecorder } from "../../operator/runtime/truth/events.ts";
import { up } from "../cluster/cluster.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { createRecordingLog } from "../fakes/log.ts";

const EVENTS: Resource = { group: "events.k8s.io", version: "v1", plural: "events", kind: "Event" };
const SECRETS: Resource = { group: "", version: "v1", plural: "secrets", kind: "Secret" };
const NAMESPACES: Resource = { group: "", version: "v1", plural: "namespaces", kind: "Namespace" };
const namespace = `runtime-events-${process.pid}`;

let kube: KubePort & Disposable;
beforeAll(async () => {
  kube = createKube(await loadAccess({ KUBECONFIG: (await up()).kubeconfig }), { random: Math.random });
  await kube.apply(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
});
afterAll(async () => {
  await kube.delete(NAMESPACES, undefined, namespace);
  kube[Symbol.dispose]();
});

test("the API server takes our events: one for the first, a counted series for its repeats, another for what differs", async () => {
  const log = createRecordingLog();
  const recorder = createEventRecorder({ kube, clock: createFakeClock(Date.now()), log, instance: "operator-1" });
  const regarding = await kube.apply<KubeObject>(SECRETS, { apiVersion: "v1", kind: "Secret", metadata: { name: "rabbit", namespace } });
  const missing = {
    regarding,
    reason: "SecretKeyMissing",
    action: "Read",
    note: `no key, of amqp://u:geheim@h ${"ü".repeat(1_000)}`,
  } as const;
  for (let repeat = 0; repeat < 3; repeat++) recorder.record(missing);
  recorder.record({ regarding, reason: "Ready", action: "Read", note: "" });
  // Repeats are held back and written together; disposal writes what is held.
  await recorder[Symbol.asyncDispose]();
  const { items } = await kube.list(EVENTS, { namespace }, { limit: 10 }, AbortSignal.timeout(5_000));
  const byReason = new Map(items.map((item) => [(item as KubeObject & { reason?: string }).reason, item]));
  expect(log.lines).toEqual([]);
  expect(byReason.get("SecretKeyMissing")).toMatchObject({
    type: "Warning",
    action: "Read",
    series: { count: 3 },
    regarding: { kind: "Secret", name: "rabbit", uid: regarding.metadata.uid },
    note: expect.stringMatching(/^no key, of amqp:\/\/\*\*\*@h ü+…$/),
  });
  expect(byReason.get("Ready")).toMatchObject({ type: "Normal" });
  expect(items).toHaveLength(2);
});

test("a Secret's value is read as it was given to the API server", async () => {
  using secrets = createSecretReader({ kube, clock: createFakeClock(), log: createRecordingLog() });
  const value = "amqp://longshore:p%40ß@rabbit:5672/";
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "uris", namespace }, stringData: { uri: value } };
  await kube.apply(SECRETS, secret);
  expect(await secrets.read(namespace, "uris", "uri")).toBe(value);
  await expect(secrets.read(namespace, "uris", "url")).rejects.toMatchObject({ reason: "SecretKeyMissing" });
  await expect(secrets.read(namespace, "nobody", "uri")).rejects.toMatchObject({ reason: "SecretMissing" });
});

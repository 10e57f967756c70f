import { expect, onTestFinished, test } from "vitest";
import { createFakeClock } from "../../test/fakes/clock.ts";
import { createFakeKube } from "../../test/fakes/kube.ts";
import { createRecordingLog } from "../../test/fakes/log.ts";
import type { Resource } from "../adapters/ports.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeObject } from "./object.ts";
import { createSecretReader } from "./secrets.ts";

const SECRETS: Resource = { group: "", version: "v1", plural: "secrets", kind: "Secret" };
interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
const base64 = (text: string) => Buffer.from(text).toString("base64");
const secret = (data: Record<string, string>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "rabbit", namespace: "shop" },
  data,
});

function setup() {
  const [kube, clock, log] = [createFakeKube(), createFakeClock(), createRecordingLog()];
  const secrets = createSecretReader({ kube, clock, log });
  onTestFinished(() => secrets[Symbol.dispose]());
  return { kube, clock, log, secrets };
}

test("a value is decoded, as UTF-8", async () => {
  const { kube, secrets } = setup();
  kube.seed(SECRETS, secret({ uri: base64("amqp://ü") }));
  expect(await secrets.read("shop", "rabbit", "uri")).toBe("amqp://ü");
});

test("what is missing is said, and never a value", async () => {
  const { kube, secrets } = setup();
  await expect(secrets.read("shop", "rabbit", "uri")).rejects.toMatchObject({
    reason: "SecretMissing",
    message: "Secret shop/rabbit does not exist",
  });
  kube.seed(SECRETS, secret({ url: base64("geheim") }));
  const missing = { reason: "SecretKeyMissing", message: "Secret shop/rabbit has no key uri; it has url" };
  await expect(secrets.read("shop", "rabbit", "uri")).rejects.toMatchObject(missing);
  kube.failNext("get", new KubeError(403, "Forbidden", "may not"));
  await expect(secrets.read("shop", "rabbit", "uri")).rejects.toMatchObject({ reason: "Forbidden" });
});

test("a watch tells when the Secret comes, changes and goes, within a poll, and not before it was seen once", async () => {
  const { kube, clock, secrets } = setup();
  let told = 0;
  using _ = secrets.watch("shop", "rabbit", () => void told++);
  await clock.advance(10_000);
  expect(told).toBe(0);
  kube.seed(SECRETS, secret({ uri: base64("1") }));
  await clock.advance(3_000);
  expect(told).toBe(1);
  await kube.patch(SECRETS, "shop", "rabbit", { data: { uri: base64("2") } });
  await clock.advance(3_000);
  expect(told).toBe(2);
  kube.vanish(SECRETS, "shop", "rabbit");
  await clock.advance(3_000);
  expect(told).toBe(3);
});

test("however many watch one Secret, it is asked for once a poll, and not at all when nobody does", async () => {
  const { kube, clock, secrets } = setup();
  let told = 0;
  const watches = [1, 2, 3].map(() => secrets.watch("shop", "rabbit", () => void told++));
  await clock.advance(3_000);
  expect(kube.calls).toHaveLength(2);
  for (const watch of watches) watch[Symbol.dispose]();
  await clock.advance(30_000);
  expect([kube.calls.length, clock.pending, told]).toEqual([2, 0, 0]);
});

test("a failed poll is no change, and polling goes on", async () => {
  const { kube, clock, secrets } = setup();
  let told = 0;
  kube.seed(SECRETS, secret({ uri: base64("1") }));
  using _ = secrets.watch("shop", "rabbit", () => void told++);
  await clock.advance(3_000);
  kube.failNext("get", new KubeError(0, "Unreachable", "gone"));
  await clock.advance(6_000);
  expect(told).toBe(0);
  await kube.patch(SECRETS, "shop", "rabbit", { data: { uri: base64("2") } });
  await clock.advance(3_000);
  expect(told).toBe(1);
});

import { expect, onTestFinished, test } from "vitest";
import { createFakeClock } from "../../test/fakes/clock.ts";
import { createFakeKube } from "../../test/fakes/kube.ts";
import { createRecordingLog } from "../../test/fakes/log.ts";
import { createFakeVhost } from "../../test/fakes/vhost.ts";
import type { BrokerEndpoint } from "../adapters/ports.ts";
import { type Broker, brokerKind } from "../kinds/broker/schema.ts";
import { createSecretReader } from "../runtime/secrets.ts";
import { createLink } from "./link.ts";

const SECRETS = { group: "", version: "v1", plural: "secrets", kind: "Secret" };

function setup() {
  const [kube, clock] = [createFakeKube(), createFakeClock()];
  const secrets = createSecretReader({ kube, clock, log: createRecordingLog() });
  onTestFinished(() => secrets[Symbol.dispose]());
  const put = (name: string, data: Readonly<Record<string, string>>): void => {
    const base64 = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]));
    const object = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "n" }, data: base64 };
    kube.seed(SECRETS, object);
  };
  const opened: BrokerEndpoint[] = [];
  const connect = (to: BrokerEndpoint) => {
    opened.push(to);
    return createFakeVhost().connect();
  };
  const link = createLink({
    secrets,
    connect,
    clock,
    random: () => 0.5,
    wake: () => undefined,
    located: () => undefined,
    recognised: () => undefined,
  });
  onTestFinished(() => link[Symbol.asyncDispose]());
  const spec = brokerKind.spec.parse({
    uriFrom: { secretKeyRef: { name: "uri" } },
    tls: { caFrom: { secretKeyRef: { name: "ca" } }, clientCertificateFrom: { name: "me" } },
  });
  const broker: Broker = { apiVersion: "longshore.dev/v1alpha1", kind: "Broker", metadata: { name: "b", namespace: "n" }, spec };
  put("uri", { uri: "amqps://u:p@rabbit" });
  return { clock, put, opened, ensure: () => link.ensure(broker) };
}

test("says which Secret of TLS is missing", async () => {
  const { put, ensure } = setup();
  put("ca", { "ca.crt": "authority" });
  expect(await ensure()).toMatchObject({ up: false, reason: "SecretMissing", message: expect.stringContaining("n/me") });
});

test("a rotated certificate is used within seconds, without a change of the Broker", async () => {
  const { clock, put, opened, ensure } = setup();
  put("ca", { "ca.crt": "authority" });
  put("me", { "tls.crt": "one", "tls.key": "key" });
  expect(await ensure()).toMatchObject({ up: true });
  await clock.advance(3_500);
  put("me", { "tls.crt": "two", "tls.key": "key" });
  await clock.advance(3_500);
  expect(await ensure()).toMatchObject({ up: true });
  expect(opened.map(({ trust }) => trust)).toEqual([
    { ca: "authority", cert: "one", key: "key" },
    { ca: "authority", cert: "two", key: "key" },
  ]);
});

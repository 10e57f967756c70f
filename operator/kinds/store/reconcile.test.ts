import { expect, test } from "vitest";
import type { StorePort } from "../../adapters/ports.ts";
import { Waiting } from "../../runtime/truth/outcome.ts";
import { storeEndpoint } from "./endpoint.ts";
import { createStores } from "./reconcile.ts";
import type { Store } from "./schema.ts";

const store: Store = {
  apiVersion: "longshore.dev/v1alpha1",
  kind: "Store",
  metadata: { name: "redis", namespace: "default" },
  spec: { uriFrom: { secretKeyRef: { name: "redis", key: "uri" } } },
};

/** A Store whose Secret says `uri`, and whose Redis answers with `probe`. */
function stores(uri: string | Error, probe: StorePort["probe"]) {
  let closed = 0;
  const read = () => (uri instanceof Error ? Promise.reject(uri) : Promise.resolve(uri));
  const connect = (): StorePort => ({
    probe,
    readHashes: () => Promise.resolve([]),
    [Symbol.asyncDispose]: () => Promise.resolve(void closed++),
  });
  return { ...createStores({ secrets: { read }, connect }), closed: () => closed };
}
const answers = (evictionPolicy: string) => () => Promise.resolve({ version: "7.2", evictionPolicy, clustered: false });
const clustered = () => Promise.resolve({ version: "8.0", evictionPolicy: "noeviction", clustered: true });
const refuses = (failure: string) => () => Promise.reject(Object.assign(new Error("no"), { failure }));

test("a Redis that answers shows its version and where it is, without the login", async () => {
  const of = stores("redis://:secret@host:6380/2", answers("noeviction"));
  expect(await of.reconcile("default/redis", store)).toMatchObject({ type: "requeue" });
  expect(of.fieldsOf("default/redis")).toEqual({ endpoint: "host:6380/2", version: "7.2", evictionPolicy: "noeviction" });
  expect(of.endpointOf("default", "redis")).toMatchObject({ uri: "redis://:secret@host:6380/2" });
  expect(of.closed()).toBe(1);
});

const failures: readonly [why: string, uri: string | Error, probe: StorePort["probe"], reason: string, hasEndpoint: boolean][] = [
  ["no Secret", new Waiting("SecretMissing", "Secret default/redis does not exist"), answers(""), "SecretMissing", false],
  ["a URI that is none", "http://host", answers(""), "SecretInvalid", false],
  ["nobody there", "redis://host", refuses("StoreUnreachable"), "StoreUnreachable", true],
  ["a wrong password", "redis://host", refuses("StoreRefusedLogin"), "StoreRefusedLogin", true],
  ["a node of a cluster", "redis://host", clustered, "StoreClustered", true],
  ["a Redis that may drop leases", "redis://host", answers("allkeys-lru"), "StoreMayEvict", true],
];
test.for(failures)("%s is a reason, and heartbeats are read where that is possible", async ([, uri, probe, reason, hasEndpoint]) => {
  const of = stores(uri, probe);
  await expect(of.reconcile("default/redis", store)).rejects.toMatchObject({ name: "Waiting", reason });
  expect("uri" in of.endpointOf("default", "redis")).toBe(hasEndpoint);
  expect(of.closed()).toBe(hasEndpoint ? 1 : 0);
});

test("the endpoint is the same object while nothing changes, and goes with the Store", async () => {
  const of = stores("redis://host", answers("noeviction"));
  await of.reconcile("default/redis", store);
  const before = of.endpointOf("default", "redis");
  await of.reconcile("default/redis", store);
  expect(of.endpointOf("default", "redis")).toBe(before);
  await of.reconcile("default/redis", undefined);
  expect(of.endpointOf("default", "redis")).toMatchObject({ reason: "StoreMissing" });
});

const uris: readonly [uri: string, display: string | undefined][] = [
  ["redis://host", "host:6379/0"],
  ["rediss://user:p%40ss@host:1234/5\n", "host:1234/5"],
  ["redis://[::1]:6379/", "[::1]:6379/0"],
  ["redis:///0", undefined],
  ["redis://host/db", undefined],
  ["sentinel://:p%40ss@a,b:5/main/2?sentinelPassword=x", "sentinel a:26379,b:5/main/2"],
  ["sentinel://a,b", undefined],
  ["amqp://host", undefined],
  ["host:6379", undefined],
];
test.for(uris)("%j", ([uri, display]) => {
  const found = storeEndpoint(uri);
  expect("uri" in found ? found.display : undefined).toBe(display);
});

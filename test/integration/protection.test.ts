import { afterAll, beforeAll, expect, test } from "vitest";
import { protect } from "./protect.ts";
import { type Api, startApi } from "./topology-operator.ts";

const PROTECTION = "longshore.dev/protection";
let api: Api;
beforeAll(async () => {
  api = await startApi();
  await protect(api.server);
}, 120_000);
afterAll(() => api?.[Symbol.asyncDispose]());

const queue = (name: string, metadata: object = {}, spec: object = {}): string =>
  JSON.stringify({
    apiVersion: "longshore.dev/v1alpha1",
    kind: "Queue",
    metadata: { name, namespace: "default", ...metadata },
    spec: { brokerRef: { name: "rabbitmq" }, ...spec },
  });
const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
  const { code, out, error } = await api.server.kubectl(args, input);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  return out;
};
const finalizersOf = async (what: string): Promise<unknown> =>
  JSON.parse((await kubectl(["get", what, "-o", "jsonpath={.metadata.finalizers}"])) || "[]");

const ways: readonly [how: string, name: string, args: readonly string[]][] = [
  ["kubectl create", "created", ["create", "-f", "-"]],
  ["kubectl apply", "applied", ["apply", "-f", "-"]],
  ["kubectl apply --server-side", "applied-there", ["apply", "--server-side", "-f", "-"]],
];
test.for(ways)("an object is protected from the first moment: %s", async ([, name, args]) => {
  await kubectl(args, queue(name));
  expect(await finalizersOf(`queue/${name}`)).toEqual([PROTECTION]);
});

test.for(ways.slice(1))("applying it again with changes leaves the protection: %s", async ([, name, args]) => {
  await kubectl(args, queue(`${name}-again`));
  await kubectl(args, queue(`${name}-again`, { labels: { a: "b" } }, { deletionPolicy: "Retain" }));
  expect(await finalizersOf(`queue/${name}-again`)).toEqual([PROTECTION]);
});

test("finalizers of others stay, and nothing is said twice", async () => {
  await kubectl(["create", "-f", "-"], queue("others", { finalizers: ["example.com/theirs"] }));
  expect(await finalizersOf("queue/others")).toEqual(["example.com/theirs", PROTECTION]);
  await kubectl(["create", "-f", "-"], queue("twice", { finalizers: [PROTECTION] }));
  expect(await finalizersOf("queue/twice")).toEqual([PROTECTION]);
});

test("what was let go is not protected anew, and what owns nothing on a broker is not protected at all", async () => {
  await kubectl(["create", "-f", "-"], queue("let-go"));
  await kubectl(["patch", "queue/let-go", "--type=merge", "-p", '{"metadata":{"finalizers":[]}}']);
  expect(await finalizersOf("queue/let-go")).toEqual([]);
  const store = { uriFrom: { secretKeyRef: { name: "redis" } } };
  const manifest = { apiVersion: "longshore.dev/v1alpha1", kind: "Store", metadata: { name: "redis", namespace: "default" }, spec: store };
  await kubectl(["create", "-f", "-"], JSON.stringify(manifest));
  expect(await finalizersOf("store/redis")).toEqual([]);
});

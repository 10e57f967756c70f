import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildImage, type Cluster, startBroker, startRedis, up } from "../cluster/cluster.ts";

let cluster: Cluster;
const namespace = `cluster-test-${process.pid}`;

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(cluster.kubectl, ["--kubeconfig", cluster.kubeconfig, "--namespace", namespace, ...args]);
  return stdout;
}

async function apply(object: object): Promise<void> {
  const file = join(await mkdtemp(join(tmpdir(), "longshore-")), "object.json");
  await writeFile(file, JSON.stringify(object));
  await kubectl("apply", "-f", file);
}

/** Serves its own name on port 8080, as the base image's own user. */
const SERVER = "require('http').createServer((_, answer) => answer.end(require('os').hostname())).listen(8080); console.log('listening')";

function deployment(name: string, image: string, replicas: number) {
  const container = {
    name: "main",
    image,
    imagePullPolicy: "Never",
    command: ["node", "-e", SERVER],
    readinessProbe: { httpGet: { port: 8080, path: "/" }, periodSeconds: 1 },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
    },
  };
}

/** Runs inside a pod and prints JSON: what the pod can reach. */
const REACH = `
const fs = require("fs"), https = require("https"), net = require("net");
const secrets = "/var/run/secrets/kubernetes.io/serviceaccount/";
const api = new Promise((done, fail) => https.get({
  host: "kubernetes.default.svc", path: "/version", ca: fs.readFileSync(secrets + "ca.crt"),
  headers: { authorization: "Bearer " + fs.readFileSync(secrets + "token") },
}, (answer) => done(answer.resume().statusCode)).on("error", fail));
const open = (uri) => new Promise((done, fail) => {
  const { hostname, port } = new URL(uri);
  const socket = net.connect(Number(port), hostname, () => { socket.destroy(); done(true); }).on("error", fail);
});
(async () => console.log(JSON.stringify({
  api: await api, broker: await open(process.argv[1]), redis: await open(process.argv[2]),
  service: await (await fetch("http://reach")).text(), user: process.getuid(), node: process.version,
})))();`;

beforeAll(async () => {
  cluster = await up();
  await kubectl("create", "namespace", namespace);
}, 1_200_000);

afterAll(async () => {
  await kubectl("delete", "namespace", namespace, "--wait=false");
});

test("a pod of the base image reaches the API server, the broker, Redis and a service of its own", async () => {
  await apply(deployment("reach", cluster.baseImage, 2));
  await apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "reach" },
    spec: { selector: { app: "reach" }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await kubectl("rollout", "status", "deployment/reach", "--timeout=30s");
  const said = await kubectl("exec", "deployment/reach", "--", "node", "-e", REACH, cluster.broker.podUri, cluster.redis.podUri);
  expect(JSON.parse(said)).toEqual({
    api: 200,
    broker: true,
    redis: true,
    service: expect.stringContaining("reach-"),
    user: 65532,
    node: "v24.21.0",
  });
  expect(await kubectl("logs", "deployment/reach")).toContain("listening");
});

test("eight pods start within ten seconds", async () => {
  const started = performance.now();
  await apply(deployment("eight", cluster.baseImage, 8));
  await kubectl("rollout", "status", "deployment/eight", "--timeout=30s");
  expect(performance.now() - started).toBeLessThan(10_000);
});

test("a second up finds everything as it is, within three seconds", async () => {
  const started = performance.now();
  expect((await up()).broker.uri).toBe(cluster.broker.uri);
  expect(performance.now() - started).toBeLessThan(3_000);
});

test("an image is built on the base image, and not again while nothing changes", async () => {
  const context = await mkdtemp(join(tmpdir(), "longshore-"));
  await writeFile(join(context, "Dockerfile"), "ARG BASE\nFROM ${BASE}\nCOPY hello.js /hello.js\n");
  await writeFile(join(context, "hello.js"), "console.log('hello')\n");
  const build = () => buildImage({ name: "cluster-test", dockerfile: "Dockerfile", context, buildArgs: { BASE: cluster.baseImage } });
  const image = await build();
  const started = performance.now();
  expect(await build()).toBe(image);
  expect(performance.now() - started).toBeLessThan(2_000);
  await writeFile(join(context, "hello.js"), `console.log('hello ${process.pid}')\n`);
  const changed = await build();
  expect(changed).not.toBe(image);
  await kubectl("run", "hello", "--image", changed, "--image-pull-policy=Never", "--restart=Never", "--", "node", "/hello.js");
  await kubectl("wait", "pod/hello", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s");
  expect(await kubectl("logs", "hello")).toBe(`hello ${process.pid}\n`);
});

test("a private broker keeps its data through a crash, and goes with its test", async () => {
  const name = `private-${process.pid}`;
  await using broker = await startBroker({ version: "4.0", name });
  await broker.ctl("add_vhost", "kept");
  await broker.kill();
  await expect(broker.ctl("list_vhosts")).rejects.toThrow("could not run rabbitmqctl list_vhosts");
  await broker.start();
  expect(await broker.ctl("-q", "list_vhosts")).toContain("kept");
});

test("a private Redis is another one than the shared", async () => {
  await using redis = await startRedis({ name: `private-redis-${process.pid}` });
  expect(redis.uri).not.toBe(cluster.redis.uri);
});

import { spawn } from "node:child_process";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buildImage, type Cluster, helm } from "../cluster/cluster.ts";
import { ffmpegBinary } from "./clips.ts";

export const OPERATOR_NAMESPACE = "longshore-system";
export const DEMO_NAMESPACE = "video";
const root = join(import.meta.dirname, "..", "..");

/** Runs a program with the cluster's kubeconfig; returns what it printed. Throws with its stderr when it fails. `input` never shows in a process list. */
export async function run(cluster: Cluster, program: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (error += chunk));
  child.stdin.end(input);
  const code = await new Promise<number>((resolve, reject) => child.once("error", reject).once("close", (status) => resolve(status ?? 1)));
  if (code !== 0) throw new Error(`${program.split("/").at(-1)} ${args.slice(0, 3).join(" ")} failed:\n${error.trim() || out.trim()}`);
  return out;
}

export const kubectl = (cluster: Cluster, args: readonly string[], input?: string) => run(cluster, cluster.kubectl, args, input);

/** Builds the operator's and the worker's image with their own Dockerfiles, and the worker's with ffmpeg on top. */
export async function buildImages(cluster: Cluster, scratch: string): Promise<{ operator: string; worker: string; video: string }> {
  await run(cluster, process.execPath, ["operator/codegen/bundle.ts"]);
  const buildArgs = { BASE: cluster.baseImage };
  const operator = await buildImage({ name: "longshore-operator", dockerfile: "operator/Dockerfile", context: root, buildArgs });
  const worker = await buildImage({ name: "longshore-worker", dockerfile: "worker/Dockerfile", context: root, buildArgs });
  const context = join(scratch, "video-worker");
  await mkdir(context, { recursive: true });
  await copyFile(join(root, "manifests/video-worker/Dockerfile"), join(context, "Dockerfile"));
  await copyFile(ffmpegBinary, join(context, "ffmpeg"));
  const video = await buildImage({ name: "longshore-video-worker", dockerfile: "Dockerfile", context, buildArgs: { BASE: worker } });
  return { operator, worker, video };
}

const reference = (image: string): [repository: string, tag: string] => {
  const at = image.lastIndexOf(":");
  return [image.slice(0, at), image.slice(at + 1)];
};

/** `helm upgrade --install`, as a user would, and waits for the operator. */
export async function installOperator(cluster: Cluster, images: { operator: string; video: string }): Promise<void> {
  const [repository, tag] = reference(images.operator);
  const [workerRepository, workerTag] = reference(images.video);
  const settings = {
    "image.repository": repository,
    "image.tag": tag,
    "worker.image.repository": workerRepository,
    "worker.image.tag": workerTag,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
  await run(cluster, await helm(), [
    "upgrade",
    "--install",
    "longshore",
    "charts/longshore",
    "--namespace",
    OPERATOR_NAMESPACE,
    "--create-namespace",
    "--wait",
    "--timeout",
    "120s",
    ...flags,
  ]);
}

/** Makes a server outside of the cluster known inside under a service name, with the ports that clients expect. */
const outsideService = (
  name: string,
  address: string,
  ports: Readonly<Record<string, readonly [port: number, target: number]>>,
): object[] => [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { ports: Object.entries(ports).map(([port, [number, target]]) => ({ name: port, port: number, targetPort: target })) },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-outside`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: Object.entries(ports).map(([port, [, target]]) => ({ name: port, port: target })),
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  },
];

/** The namespace, the two Secrets, the ConfigMap of tasks, and then the contract manifest as it stands. */
export async function applyPool(cluster: Cluster): Promise<void> {
  const broker = new URL(cluster.broker.podUri);
  const redis = new URL(cluster.redis.podUri);
  const management = new URL(cluster.broker.podManagementUri);
  const at = (uri: URL, host: string, port: number) => Object.assign(new URL(uri), { hostname: host, port: String(port) }).href;
  const secret = (name: string, uri: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { name }, stringData: { uri } });
  const items = [
    ...outsideService("rabbitmq", broker.hostname, { amqp: [5672, Number(broker.port)], management: [15672, Number(management.port)] }),
    ...outsideService("redis", redis.hostname, { redis: [6379, Number(redis.port)] }),
    secret("rabbitmq", at(broker, `rabbitmq.${DEMO_NAMESPACE}.svc`, 5672)),
    secret("redis", at(redis, `redis.${DEMO_NAMESPACE}.svc`, 6379)),
  ];
  const apply = (args: readonly string[], input?: string) =>
    kubectl(cluster, ["--namespace", DEMO_NAMESPACE, "apply", "--server-side", "--force-conflicts", ...args], input);
  await kubectl(
    cluster,
    ["apply", "-f", "-"],
    JSON.stringify({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: DEMO_NAMESPACE, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    }),
  );
  await apply(["-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const tasks = await kubectl(cluster, [
    "--namespace",
    DEMO_NAMESPACE,
    "create",
    "configmap",
    "video-tasks",
    "--from-file",
    "manifests/video-tasks",
    "--dry-run=client",
    "-o",
    "yaml",
  ]);
  await apply(["-f", "-"], tasks);
  await kubectl(cluster, ["--namespace", DEMO_NAMESPACE, "apply", "-f", "manifests/video-pool.yaml"]);
}

/** Takes the demo away, as a user would. The cluster itself is `down`'s. */
export async function uninstall(cluster: Cluster): Promise<void> {
  await kubectl(cluster, ["delete", "namespace", DEMO_NAMESPACE, "--ignore-not-found", "--timeout=60s"]);
  await run(cluster, await helm(), ["uninstall", "longshore", "--namespace", OPERATOR_NAMESPACE, "--ignore-not-found", "--wait"]);
}

import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleWorker } from "../../worker/bundle.ts";
import { buildImage, type Cluster, up } from "../cluster/cluster.ts";
import { type Lab, openLab } from "./worker-process.ts";

const POLL = { timeout: 60_000, interval: 200 };
const namespace = `worker-image-${process.pid}`;
let cluster: Cluster;
let lab: Lab;
let image: string;

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(cluster.kubectl, ["--kubeconfig", cluster.kubeconfig, "--namespace", namespace, ...args]);
  return stdout;
}

async function apply(object: object): Promise<void> {
  const file = join(await mkdtemp(join(tmpdir(), "longshore-")), "object.json");
  await writeFile(file, JSON.stringify(object));
  await kubectl("apply", "-f", file);
}

beforeAll(async () => {
  cluster = await up();
  lab = await openLab("worker-image", 7);
  await lab.declare("q", { "x-queue-type": "quorum" });
  const context = await mkdtemp(join(tmpdir(), "longshore-image-"));
  await bundleWorker(join(context, "dist/worker"));
  const dockerfile = new URL("../../worker/Dockerfile", import.meta.url).pathname;
  image = await buildImage({ name: "longshore-worker-test", dockerfile, context, buildArgs: { BASE: cluster.baseImage } });
  await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
});
afterAll(async () => {
  await kubectl("delete", "namespace", namespace, "--wait=false");
  await lab[Symbol.asyncDispose]();
});

/** A pod as the operator makes them, restricted, with its tasks from a ConfigMap. */
async function run(name: string, source: string): Promise<void> {
  await apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { "tasks.ts": source } });
  const brokerPath = new URL(lab.brokerUrl).pathname.slice(1);
  const env = {
    LONGSHORE_QUEUES: "q",
    CELERY_BROKER_URL: `${cluster.broker.podUri}${brokerPath}`,
    CELERY_RESULT_BACKEND: cluster.redis.podUri.replace(/0$/, new URL(lab.redisUrl).pathname.slice(1)),
  };
  await apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 5,
      containers: [
        {
          name: "worker",
          image,
          imagePullPolicy: "Never",
          env: [
            ...Object.entries(env).map(([key, value]) => ({ name: key, value })),
            { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          ],
          readinessProbe: { httpGet: { path: "/readyz", port: 9808 }, periodSeconds: 1 },
          livenessProbe: { httpGet: { path: "/healthz", port: 9808 } },
          securityContext: {
            runAsNonRoot: true,
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
            seccompProfile: { type: "RuntimeDefault" },
          },
          volumeMounts: [{ name: "tasks", mountPath: "/app/tasks", readOnly: true }],
        },
      ],
      volumes: [{ name: "tasks", configMap: { name } }],
    },
  });
}

test("the image runs a ConfigMap's tasks as nobody, on a read-only root, and becomes ready", async () => {
  const source = `import { defineTask } from "longshore";
import * as z from "zod";
export const greet = defineTask({ name: "image.greet", kwargs: z.object({ who: z.string() }), run: ({ who }: { who: string }) => "hello " + who });`;
  await run("good", source);
  await expect
    .poll(() => kubectl("get", "pod", "good", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"), POLL)
    .toBe("True");
  expect(await lab.python('result = outcome(app.send_task("image.greet", ("you",)))')).toEqual(["ok", "hello you"]);
});

test("a module that breaks shows its file and line in the pod's status", async () => {
  await run("bad", 'import { defineTask } from "longshore";\n\nthrow new Error("no licence");\n');
  const state = "{.status.containerStatuses[0].state.terminated.exitCode} {.status.containerStatuses[0].state.terminated.message}";
  await expect
    .poll(() => kubectl("get", "pod", "bad", "-o", `jsonpath=${state}`), POLL)
    .toBe("78 /app/tasks/tasks.ts:3: Error: no licence");
});

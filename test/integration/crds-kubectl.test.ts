import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { KINDS } from "../../operator/kinds/index.ts";
import { deploymentOf } from "../../operator/kinds/worker-pool/deployment.ts";
import type { WorkerPool } from "../../operator/kinds/worker-pool/schema.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";

/** What a user of kubectl sees of our kinds. */
const ROOT = join(import.meta.dirname, "../..");

/** A namespace with an object of every kind. */
const ALL = "samples";

let api: ApiServer;
beforeAll(async () => {
  api = await startApiServer();
  await ok(["apply", "--server-side", "-f", join(ROOT, "crds")]);
  await ok(["wait", "--for=condition=Established", "--timeout=20s", "crd", "--all"]);
  await ok(["apply", "-f", join(ROOT, "manifests/video-pool.yaml")]);
  await ok(["create", "namespace", ALL]);
  await ok(["apply", "--namespace", ALL, "-f", join(ROOT, "manifests/samples")]);
});
afterAll(() => api?.[Symbol.asyncDispose]());

async function ok(args: readonly string[], input?: string): Promise<string> {
  const { code, out, error } = await api.kubectl(args, input);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${error}`);
  return out;
}

const status = (of: string, value: object) =>
  ok(["patch", of, "video", "--subresource=status", "--type=merge", "-p", JSON.stringify({ status: value })]);

describe("kubectl explain", () => {
  const asked: readonly [field: string, says: RegExp][] = [
    ["workerpool", /Workers that consume the same queues/],
    ["workerpool.spec.autoscaling.backlogPerReplica", /The threshold: one replica per that many/],
    ["wp.spec.queues", /a name, or\s+\{name, weight\}/],
    ["queue.spec.deadLetter.strategy", /ENUM:\s+at-most-once\s+at-least-once/],
    ["broker.spec.uriFrom.secretKeyRef.key", /Key within the Secret/],
    ["store.status.evictionPolicy", /maxmemory-policy/],
  ];
  test.for(asked)("%s", async ([field, says]) => expect(await ok(["explain", field])).toMatch(says));
});

describe("kubectl get", () => {
  test("shows of a pool what one wants to know", async () => {
    const conditions = [{ type: "Ready", status: "True", reason: "Steady", message: "m", lastTransitionTime: "2026-01-01T00:00:00Z" }];
    await status("workerpool", { readyReplicas: 2, desiredReplicas: 3, busy: 1, backlog: 40, conditions });
    const [head, row] = (await ok(["get", "workerpools"])).split("\n").map((line) => line.trim().split(/\s+/));
    expect(head).toEqual(["NAME", "READY", "DESIRED", "BUSY", "BACKLOG", "REASON", "AGE"]);
    expect(row?.slice(0, 6)).toEqual(["video", "2", "3", "1", "40", "Steady"]);
  });
  test("takes short names and the category", async () => {
    for (const name of KINDS.flatMap(({ shortNames }) => shortNames)) await ok(["get", name]);
    const listed = (await ok(["get", "longshore", "--namespace", ALL, "-o", "name"])).trim().split("\n");
    expect(new Set(listed.map((name) => name.split(".")[0]))).toEqual(new Set(KINDS.map(({ kind }) => kind.toLowerCase())));
    expect(await ok(["get", "all", "-o", "name"])).not.toContain("longshore");
  });
  test("every kind begins with whether it is ready; a Schedule with when it fires", async () => {
    for (const { kind, plural } of KINDS) {
      const [head] = (await ok(["get", `${plural}.longshore.dev`, "--namespace", ALL])).split("\n");
      expect(head?.split(/\s+/)[1], plural).toBe(kind === "Schedule" ? "SCHEDULE" : "READY");
    }
  });
});

test("kubectl scale sets a floor, and reads size and selector back", async () => {
  await status("workerpool", { replicas: 4, selector: "longshore.dev/pool=video" });
  await ok(["scale", "workerpool", "video", "--replicas=5"]);
  const scale = JSON.parse(await ok(["get", "--raw", "/apis/longshore.dev/v1alpha1/namespaces/default/workerpools/video/scale"])) as object;
  expect(scale).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 4, selector: "longshore.dev/pool=video" } });
  const { error } = await api.kubectl(["scale", "workerpool", "video", "--replicas=50000"]);
  expect(error).toContain("spec.replicas: Invalid value: 50000");
});

test("kubectl wait understands the conditions", async () => {
  const ready = { type: "Ready", status: "True", reason: "Declared", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" };
  await ok([
    "patch",
    "exchange",
    "media",
    "--subresource=status",
    "--type=merge",
    "-p",
    JSON.stringify({ status: { conditions: [ready] } }),
  ]);
  expect(await ok(["wait", "exchange/media", "--for=condition=Ready", "--timeout=5s"])).toContain("condition met");
});

test("a status that is no status is refused, and users cannot write it with the object", async () => {
  const patch = JSON.stringify({ status: { busy: -1 } });
  expect((await api.kubectl(["patch", "workerpool", "video", "--subresource=status", "--type=merge", "-p", patch])).error).toContain(
    "status.busy",
  );
  await ok(["patch", "workerpool", "video", "--type=merge", "-p", JSON.stringify({ status: { backlog: 7_777 } })]);
  expect(await ok(["get", "workerpool", "video", "-o", "jsonpath={.status.backlog}"])).not.toBe("7777");
});

describe("the Deployment of a pool", () => {
  const inputs = {
    workerImage: "worker:1",
    inputsDigest: "d",
    replicas: 1,
    queues: ["video_queue"],
    broker: { name: "rabbitmq", key: "uri" },
    store: { name: "redis", key: "uri" },
  };
  const poolIn = async (file: string): Promise<WorkerPool> => {
    const pools = parseAllDocuments(await readFile(join(ROOT, file), "utf8")).map((one) => one.toJS() as WorkerPool);
    const given = pools.find(({ kind }) => kind === "WorkerPool");
    return JSON.parse(
      await ok(
        ["create", "--dry-run=server", "-o", "json", "-f", "-"],
        JSON.stringify({ ...given, metadata: { name: `${given?.metadata.name}-copy` } }),
      ),
    ) as WorkerPool;
  };
  test("of the first manifest is taken as it stands, and its pods meet the restricted standard", async () => {
    const labels = { "pod-security.kubernetes.io/warn": "restricted" };
    await ok(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "strict", labels } }));
    const { metadata, ...made } = deploymentOf(await poolIn("manifests/video-pool.yaml"), inputs);
    const { code, error } = await api.kubectl(
      ["apply", "--server-side", "-f", "-"],
      JSON.stringify({ ...made, metadata: { ...metadata, namespace: "strict" } }),
    );
    expect([code, error]).toEqual([0, ""]);
  });
  test("of a Celery image is taken as well", async () => {
    const made = deploymentOf(await poolIn("manifests/samples/worker-pool.yaml"), inputs);
    expect(await api.kubectl(["apply", "--server-side", "--dry-run=server", "-f", "-"], JSON.stringify(made))).toMatchObject({
      code: 0,
      error: "",
    });
  });
});

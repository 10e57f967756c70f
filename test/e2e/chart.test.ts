import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { helm } from "../cluster/cluster.ts";
import { type ApiServer, startApiServer } from "../integration/api-server.ts";

/** The chart on a real API server of its own. That the operator runs from it, with its pods, is what the demo shows. */
const ROOT = join(import.meta.dirname, "../..");
const CHART = join(ROOT, "charts/longshore");
const NAMESPACE = "longshore-system";
const RELEASE = ["longshore", CHART, "--namespace", NAMESPACE];

type Manifest = {
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: object };
  [field: string]: unknown;
};

let api: ApiServer;
let helmPath: string;
beforeAll(async () => {
  [api, helmPath] = await Promise.all([startApiServer(), helm()]);
});
afterAll(() => api?.[Symbol.asyncDispose]());

const run = async (program: string, args: readonly string[], input?: string): Promise<string> => {
  const { code, out, error } = await api.run(program, args, input);
  if (code !== 0) throw new Error(`${args.slice(0, 3).join(" ")}: ${error}`);
  return out;
};
const chart = (...args: readonly string[]) => run(helmPath, args);
const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
  const { code, out, error } = await api.kubectl(args, input);
  if (code !== 0) throw new Error(`kubectl ${args.slice(0, 3).join(" ")}: ${error}`);
  return out;
};
const rendered = async (...flags: readonly string[]): Promise<Manifest[]> => manifests(await chart("template", ...RELEASE, ...flags));
const manifests = (text: string): Manifest[] => parseAllDocuments(text).flatMap((one) => (one.toJS() as Manifest | null) ?? []);

describe("without a cluster", () => {
  test("helm lint finds nothing", async () => {
    expect(await chart("lint", "--strict", CHART)).toContain("0 chart(s) failed");
  });
  test("a misspelt value is refused", async () => {
    await expect(rendered("--set", "replicas=3")).rejects.toThrow(/additional properties 'replicas' not allowed/);
    await expect(rendered("--set", "watchNamespaces={Not_A_Namespace}")).rejects.toThrow(/watchNamespaces/);
  });
  test("chart and package have the same version", async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await readFile(join(CHART, "Chart.yaml"), "utf8")).toContain(`version: ${version}\nappVersion: ${version}\n`);
  });
  test("manifests/install.yaml is what the chart installs by default", async () => {
    // Helm's own marks are all that may differ.
    const plain = ({ metadata: { annotations: _annotations, labels = {}, ...metadata }, ...rest }: Manifest) => {
      const { "helm.sh/chart": _chart, "app.kubernetes.io/managed-by": _by, ...kept } = labels;
      return [`${rest.kind}/${metadata.name}`, { ...rest, metadata: { ...metadata, labels: kept } }] as const;
    };
    const install = manifests(await readFile(join(ROOT, "manifests/install.yaml"), "utf8")).filter(({ kind }) => kind !== "Namespace");
    expect(Object.fromEntries(install.map(plain))).toEqual(Object.fromEntries((await rendered()).map(plain)));
  });
  test("two replicas run spread, restricted, with a budget for evictions", async () => {
    const all = await rendered();
    expect(all.find(({ kind }) => kind === "PodDisruptionBudget")).toMatchObject({ spec: { maxUnavailable: 1 } });
    expect(all.find(({ kind }) => kind === "Deployment")).toMatchObject({
      spec: {
        replicas: 2,
        template: {
          spec: {
            securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
            containers: [
              { securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } },
            ],
          },
        },
      },
    });
    expect((await rendered("--set", "replicaCount=1")).some(({ kind }) => kind === "PodDisruptionBudget")).toBe(false);
  });
  test("no role has a wildcard, and nothing may list or change Secrets", async () => {
    const rules = (await rendered()).flatMap(
      ({ rules: all }) => (all ?? []) as { apiGroups: string[]; resources: string[]; verbs: string[] }[],
    );
    expect(
      rules.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs]).filter((word) => word.includes("*")),
    ).toEqual([]);
    expect(rules.filter(({ resources }) => resources.includes("secrets")).map(({ verbs }) => verbs)).toEqual([["get", "create"]]);
  });
});

describe("a release", () => {
  afterEach(async () => {
    await api.run(helmPath, ["uninstall", "longshore", "--namespace", NAMESPACE, "--ignore-not-found"]);
    await kubectl(["delete", "secret,configmap", "--all", "--namespace", NAMESPACE, "--ignore-not-found"]);
  });

  test("upgrades the CRDs of an older one, and leaves them and every object when it goes", async () => {
    const older = await mkdtemp(join(tmpdir(), "longshore-chart-"));
    try {
      await cp(CHART, older, { recursive: true });
      const file = join(older, "templates/crds/workerpools.yaml");
      const text = await readFile(file, "utf8");
      await writeFile(file, text.replaceAll("concurrency:", "slots:"));
      await chart("install", "longshore", older, "--namespace", NAMESPACE, "--create-namespace");
    } finally {
      await rm(older, { recursive: true, force: true });
    }
    await kubectl(["wait", "--for=condition=Established", "--timeout=20s", "crd", "--all"]);
    const video = ["apply", "-f", join(ROOT, "manifests/video-pool.yaml")];
    expect((await api.kubectl(video)).error).toContain('unknown field "spec.concurrency"');

    await chart("upgrade", ...RELEASE);
    await expect.poll(async () => (await api.kubectl(video)).error, { timeout: 30_000 }).toBe("");

    await chart("uninstall", "longshore", "--namespace", NAMESPACE);
    expect(await kubectl(["get", "longshore", "-o", "name"])).toContain("workerpool.longshore.dev/video");
    expect(await kubectl(["get", "deployment,serviceaccount,service", "--namespace", NAMESPACE, "-o", "name"])).not.toContain("longshore");

    await chart("install", ...RELEASE);
    expect(await kubectl(["get", "workerpool", "video", "-o", "jsonpath={.spec.concurrency}"])).toBe("2");
  });

  test("with RabbitMQ and Redis to try it out keeps the passwords that it made", async () => {
    const flags = ["--set", "rabbitmq.enabled=true,redis.enabled=true", "--create-namespace"];
    const value = async (name: string, key: string) =>
      Buffer.from(await kubectl(["get", "secret", name, "--namespace", NAMESPACE, "-o", `jsonpath={.data.${key}}`]), "base64").toString();
    await chart("install", ...RELEASE, ...flags);
    const [uri, management, redis] = [await value("rabbitmq", "uri"), await value("rabbitmq", "management"), await value("redis", "uri")];
    expect(uri).toMatch(/^amqp:\/\/longshore:\w{24}@rabbitmq\.longshore-system\.svc:5672\/$/);
    expect(management).toMatch(/^http:\/\/longshore:\w{24}@rabbitmq\.longshore-system\.svc:15672$/);
    expect(redis).toMatch(/^redis:\/\/:\w{24}@redis\.longshore-system\.svc:6379\/0$/);
    await chart("upgrade", ...RELEASE, ...flags, "--set", "logLevel=debug");
    expect([await value("rabbitmq", "uri"), await value("rabbitmq", "management"), await value("redis", "uri")]).toEqual([
      uri,
      management,
      redis,
    ]);
    const containers = await kubectl(["get", "statefulset,deployment", "--namespace", NAMESPACE, "-o", "jsonpath={..containers}"]);
    expect(containers).not.toContain(new URL(uri).password);
  });

  test("may do its work in the namespaces that it serves, and nothing elsewhere", async () => {
    for (const name of ["one", "two", "other"]) await api.kubectl(["create", "namespace", name]);
    const as = `--as=system:serviceaccount:${NAMESPACE}:longshore`;
    const may = async (namespace: string, verb: string, resource: string, subresource = "") =>
      (await api.kubectl(["auth", "can-i", verb, resource, `--subresource=${subresource}`, "--namespace", namespace, as])).out.trim();
    const work = [
      ["list", "queues.longshore.dev"],
      ["patch", "workerpools.longshore.dev", "status"],
      ["get", "secrets"],
      ["patch", "deployments.apps", "scale"],
      ["create", "events.events.k8s.io"],
    ] as const;
    const answers = (namespace: string) =>
      Promise.all(work.map(([verb, resource, subresource]) => may(namespace, verb, resource, subresource)));

    await chart("install", ...RELEASE, "--create-namespace", "--set", "watchNamespaces={one,two}");
    expect(await answers("one")).toEqual(work.map(() => "yes"));
    expect(await answers("two")).toEqual(work.map(() => "yes"));
    expect(await answers("other")).toEqual(work.map(() => "no"));
    expect(await kubectl(["get", "clusterrolebinding", "-o", "name"])).not.toContain("longshore");

    await chart("upgrade", ...RELEASE, "--set", "watchNamespaces=null");
    expect(await answers("other")).toEqual(work.map(() => "yes"));
    for (const [verb, resource] of [
      ["list", "secrets"],
      ["delete", "pods"],
      ["delete", "workerpools.longshore.dev"],
      ["get", "leases.coordination.k8s.io"],
    ] as const) {
      expect(await may("other", verb, resource), `${verb} ${resource}`).toBe("no");
    }
    expect(await may(NAMESPACE, "patch", "leases.coordination.k8s.io/longshore")).toBe("yes");
  });
});

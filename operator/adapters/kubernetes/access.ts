import { readFile } from "node:fs/promises";
import type { Agent, AgentOptions } from "node:https";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Where the API server is and how to log in to it. */
export interface Access {
  readonly server: URL;
  readonly tls: Pick<AgentOptions, "ca" | "cert" | "key" | "pfx" | "passphrase" | "rejectUnauthorized" | "servername">;
  /** Only behind a proxy. */
  readonly agent?: Agent;
  /** For every request anew: tokens expire. */
  authorization(): Promise<string | undefined>;
  /** Namespace of the context or of the pod. */
  readonly namespace: string;
}

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
/** The kubelet renews a projected token when a fifth of its time, at least 10 min, is left. */
const TOKEN_FRESH_MS = 60_000;

/** The pod's own service account, read from its files: in a pod, nothing of the Kubernetes client package is loaded. */
async function podAccess(host: string, port: string): Promise<Access> {
  const [ca, namespace] = await Promise.all([readFile(`${ACCOUNT}/ca.crt`), readFile(`${ACCOUNT}/namespace`, "utf8")]);
  let token = "";
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    server: new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`),
    tls: { ca },
    namespace: namespace.trim(),
    async authorization() {
      if (performance.now() - readAt > TOKEN_FRESH_MS) {
        token = (await readFile(`${ACCOUNT}/token`, "utf8")).trim();
        readAt = performance.now();
      }
      return `Bearer ${token}`;
    },
  };
}

/** The current context of the first of these files, the others merged in, with every way to log in that the Kubernetes client package knows. */
async function kubeconfigAccess(files: readonly string[]): Promise<Access> {
  // Loaded on demand: it costs tens of megabytes, and pods do not need it.
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const [config = new KubeConfig(), ...others] = files.map((file) => {
    const loaded = new KubeConfig();
    loaded.loadFromFile(file);
    return loaded;
  });
  for (const other of others) config.mergeConfig(other, true);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`the kubeconfig has no cluster for its current context ${config.getCurrentContext()}`);
  const options: AgentOptions & { agent?: unknown } = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const given = Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    server: new URL(cluster.server),
    tls: Object.fromEntries(given),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- applyToHTTPSOptions puts an https agent there, and its types do not say so
    ...(cluster.proxyUrl === undefined ? {} : { agent: options.agent as Agent }),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? "default",
    async authorization() {
      const fresh: { headers?: Readonly<Record<string, unknown>>; auth?: string } = {};
      await config.applyToHTTPSOptions(fresh);
      if (fresh.auth !== undefined) return `Basic ${Buffer.from(fresh.auth).toString("base64")}`;
      const header = fresh.headers?.["Authorization"];
      return typeof header === "string" ? header : undefined;
    },
  };
}

/**
 * In a pod, its service account; else the kubeconfig: `KUBECONFIG`, which wins when it is set, or `~/.kube/config`.
 * Throws when there is neither, or when a file cannot be read.
 */
export function loadAccess(env: Readonly<Record<string, string | undefined>>): Promise<Access> {
  const { KUBECONFIG: kubeconfig = "", KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443", HOME: home = homedir() } = env;
  if (kubeconfig === "" && host !== undefined) return podAccess(host, port);
  return kubeconfigAccess(kubeconfig === "" ? [join(home, ".kube", "config")] : kubeconfig.split(delimiter).filter((file) => file !== ""));
}

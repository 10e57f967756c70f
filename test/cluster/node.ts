import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { askApi } from "./api.ts";
import { tryRun } from "./commands.ts";
import { containerdSocket } from "./containerd.ts";
import { coredns, kubernetes } from "./go-binaries.ts";
import { home } from "./home.ts";
import { cniConfig, containerdConfig, kubeletConfig, proxyConfig } from "./node-config.ts";
import { ensureNodeNamespace, insideNode } from "./node-namespace.ts";
import { ensureProcess } from "./processes.ts";
import { type ClusterState, writeConfig } from "./state.ts";
import { clearNode } from "./teardown.ts";

const NODE_NAME = "longshore";

/** The namespaces come before everything else: the API server listens on the address that they bring. */
export async function ensureNamespace(state: ClusterState): Promise<number> {
  const node = await ensureNodeNamespace(state.network);
  if (!node.started) return node.pid;
  // Whatever a former node left cannot be reached from the new namespaces.
  await clearNode({ keepNamespace: true });
  return node.pid;
}

/** Starts the kubelet, kube-proxy and DNS inside the node's namespaces, each unless it runs, and waits for a ready node. */
export async function ensureNode(state: ClusterState, nodePid: number, kubeconfig: string): Promise<void> {
  await Promise.all([
    ensureKubelet(state, nodePid, kubeconfig),
    ensureProxy(state, nodePid, kubeconfig),
    ensureDns(state, nodePid, kubeconfig),
  ]);
  await nodeReady(state);
}

/** Starts containerd inside the node's namespaces, unless it runs. It needs no API server. */
export async function ensureContainerd(state: ClusterState, nodePid: number): Promise<void> {
  const { run, id } = home();
  await mkdir(join(run, "cni"), { recursive: true });
  writeConfig(join(run, "cni", "10-longshore.conflist"), JSON.stringify(cniConfig(id, state.network)));
  const config = join(run, "containerd.toml");
  writeConfig(config, containerdConfig(run));
  await ensureProcess({
    name: "containerd",
    ...insideNode(nodePid, "containerd", ["--config", config, "--log-level", "warn"]),
    ready: async () =>
      (await tryRun("ctr", ["--address", containerdSocket(), "plugins", "ls"]))?.includes("io.containerd.grpc.v1") ?? false,
  });
}

async function ensureKubelet(state: ClusterState, nodePid: number, kubeconfig: string): Promise<void> {
  const { run } = home();
  writeConfig(join(run, "resolv.conf"), "");
  const config = join(run, "kubelet.json");
  writeConfig(config, JSON.stringify(kubeletConfig(run, state.network), null, 2));
  await ensureProcess({
    name: "kubelet",
    ...insideNode(nodePid, await kubernetes("kubelet"), [
      `--config=${config}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${join(run, "kubelet")}`,
      `--cert-dir=${join(run, "kubelet-certificates")}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${state.network.node}`,
      "--housekeeping-interval=30s",
      "--v=1",
    ]),
  });
}

async function ensureProxy(state: ClusterState, nodePid: number, kubeconfig: string): Promise<void> {
  const config = join(home().run, "proxy.json");
  writeConfig(config, JSON.stringify(proxyConfig(kubeconfig, state.network, NODE_NAME), null, 2));
  await ensureProcess({ name: "kube-proxy", ...insideNode(nodePid, await kubernetes("kube-proxy"), [`--config=${config}`]) });
}

async function ensureDns(state: ClusterState, nodePid: number, kubeconfig: string): Promise<void> {
  const config = join(home().run, "Corefile");
  writeConfig(
    config,
    `cluster.local:53 in-addr.arpa:53 {
  bind ${state.network.node}
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig}
    ttl 2
  }
  cache 2
}
.:53 {
  bind ${state.network.node}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`,
  );
  await ensureProcess({ name: "coredns", ...insideNode(nodePid, await coredns(), ["-conf", config, "-quiet"]) });
}

async function nodeReady(state: ClusterState): Promise<void> {
  for (let turn = 0; turn < 600; turn++) {
    const { status, body } = await askApi(state, `/api/v1/nodes/${NODE_NAME}`);
    const node = JSON.parse(body) as { status?: { conditions?: { type: string; status: string }[] }; spec?: { taints?: unknown[] } };
    const ready = node.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True");
    if (status === 200 && ready && !node.spec?.taints?.length) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`the node does not become ready: see ${join(home().logs, "kubelet.log")}`);
}

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { apiReady, askApi } from "./api.ts";
import { ensureCertificates, writeKubeconfig } from "./certificates.ts";
import { kubernetes } from "./go-binaries.ts";
import { home } from "./home.ts";
import { ensureProcess } from "./processes.ts";
import { type ClusterState, writeConfig } from "./state.ts";

/** Starts etcd, the API server, the controller manager and the scheduler, each unless it runs. Returns the kubeconfig's path. */
export async function ensureControlPlane(state: ClusterState): Promise<string> {
  const { network, ports, adminToken } = state;
  const { run } = home();
  const certificates = await ensureCertificates(network);
  const kubeconfig = await writeKubeconfig(`https://${network.gateway}:${ports.apiServer}`, adminToken, certificates);
  await ensureEtcd(ports.etcd, ports.etcdPeer);
  const tokens = join(run, "tokens.csv");
  writeConfig(tokens, `${adminToken},admin,admin,"system:masters"\n`);
  const file = (name: string) => join(certificates, name);
  await ensureProcess({
    name: "kube-apiserver",
    command: await kubernetes("kube-apiserver"),
    args: [
      `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
      // Only the host and the pods can reach this address; the machine's own network cannot.
      `--bind-address=${network.gateway}`,
      `--advertise-address=${network.gateway}`,
      `--secure-port=${ports.apiServer}`,
      `--tls-cert-file=${file("apiserver.crt")}`,
      `--tls-private-key-file=${file("apiserver.key")}`,
      `--client-ca-file=${file("ca.crt")}`,
      `--kubelet-client-certificate=${file("kubelet-client.crt")}`,
      `--kubelet-client-key=${file("kubelet-client.key")}`,
      `--requestheader-client-ca-file=${file("ca.crt")}`,
      "--requestheader-allowed-names=front-proxy-client",
      "--requestheader-username-headers=X-Remote-User",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      `--proxy-client-cert-file=${file("front-proxy.crt")}`,
      `--proxy-client-key-file=${file("front-proxy.key")}`,
      `--service-account-key-file=${file("sa.pub")}`,
      `--service-account-signing-key-file=${file("sa.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--token-auth-file=${tokens}`,
      "--authorization-mode=Node,RBAC",
      "--allow-privileged",
      `--service-cluster-ip-range=${network.serviceRange}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--enable-priority-and-fairness=false", // one machine, one team: nothing to be fair between, and tests list a lot
      "--profiling=false",
      "--event-ttl=1h",
    ],
    ready: () => apiReady(state),
  });
  await Promise.all([ensureControllerManager(kubeconfig, file), ensureScheduler(kubeconfig)]);
  await hasDefaultServiceAccount(state);
  return kubeconfig;
}

async function ensureEtcd(client: number, peer: number): Promise<void> {
  const data = join(home().run, "etcd");
  await mkdir(data, { recursive: true, mode: 0o700 });
  const url = `http://127.0.0.1:${client}`;
  await ensureProcess({
    name: "etcd",
    command: await kubernetes("etcd"),
    args: [
      `--data-dir=${data}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      "--unsafe-no-fsync",
      "--auto-compaction-mode=periodic",
      "--auto-compaction-retention=10m",
      "--log-level=warn",
    ],
    ready: async () => (await fetch(`${url}/health`)).ok,
  });
}

async function ensureControllerManager(kubeconfig: string, file: (name: string) => string): Promise<void> {
  await ensureProcess({
    name: "kube-controller-manager",
    command: await kubernetes("kube-controller-manager"),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--service-account-private-key-file=${file("sa.key")}`,
      `--root-ca-file=${file("ca.crt")}`,
      "--use-service-account-credentials",
      "--leader-elect=false",
      "--controllers=*,-node-ipam-controller",
      "--secure-port=0",
      "--kube-api-qps=200",
      "--kube-api-burst=400",
      "--profiling=false",
    ],
  });
}

async function ensureScheduler(kubeconfig: string): Promise<void> {
  await ensureProcess({
    name: "kube-scheduler",
    command: await kubernetes("kube-scheduler"),
    args: [
      `--kubeconfig=${kubeconfig}`,
      "--leader-elect=false",
      "--secure-port=0",
      "--kube-api-qps=200",
      "--kube-api-burst=400",
      "--profiling=false",
    ],
  });
}

/** Pods are refused until the controller manager has made the namespace's service account, a second or two after its start. */
async function hasDefaultServiceAccount(state: ClusterState): Promise<void> {
  for (let turn = 0; turn < 300; turn++) {
    if ((await askApi(state, "/api/v1/namespaces/default/serviceaccounts/default")).status === 200) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("the default service account does not appear: see the log of kube-controller-manager");
}

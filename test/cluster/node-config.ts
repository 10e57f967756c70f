import { join } from "node:path";
import type { Network } from "./network.ts";

/** containerd 1.6, configuration version 2. */
export const containerdConfig = (run: string): string => `version = 2
root = "${run}/containerd/root"
state = "${run}/containerd/state"
oom_score = 0
[grpc]
  address = "${run}/containerd.sock"
[ttrpc]
  address = "${run}/containerd.sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true # without CAP_SYS_RESOURCE no container would start
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${run}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`;

/**
 * Every pod gets a link of its own to the node (`ptp`) instead of a port of a bridge: traffic between pods then passes through
 * the node's routing, where kube-proxy translates a service's answers back; on a bridge it would not without br_netfilter.
 */
export const cniConfig = (id: string, network: Network) => ({
  cniVersion: "0.4.0",
  name: `longshore-${id}`,
  plugins: [
    {
      type: "ptp",
      ipMasq: false,
      ipam: { type: "host-local", ranges: [[{ subnet: network.podRange }]], routes: [{ dst: "0.0.0.0/0" }] },
    },
  ],
});

export const kubeletConfig = (run: string, network: Network) => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  containerRuntimeEndpoint: `unix://${run}/containerd.sock`,
  address: network.node,
  healthzPort: 0,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: false },
    x509: { clientCAFile: join(run, "certificates", "ca.crt") },
  },
  authorization: { mode: "AlwaysAllow" }, // who holds a certificate of this CA is the API server
  clusterDNS: [network.node],
  clusterDomain: "cluster.local",
  resolvConf: join(run, "resolv.conf"),
  podLogsDir: "/var/log/pods",
  volumePluginDir: join(run, "volume-plugins"),
  staticPodPath: "",
  failCgroupV1: false,
  failSwapOn: false,
  cgroupDriver: "cgroupfs",
  cgroupsPerQOS: false,
  enforceNodeAllocatable: [],
  evictionHard: {},
  imageGCHighThresholdPercent: 100, // images are imported, nobody could pull them again
  serializeImagePulls: false,
  registryPullQPS: 0,
  eventRecordQPS: 0,
  kubeAPIQPS: 200,
  kubeAPIBurst: 400,
  maxPods: 250,
  podsPerCore: 0,
  enableProfilingHandler: false,
  shutdownGracePeriod: "0s",
});

export const proxyConfig = (kubeconfig: string, network: Network, nodeName: string) => ({
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  mode: "nftables",
  clientConnection: { kubeconfig, qps: 200, burst: 400 },
  clusterCIDR: network.podRange,
  hostnameOverride: nodeName,
  bindAddress: network.node,
  healthzBindAddress: "127.0.0.1:10256",
  metricsBindAddress: "127.0.0.1:10249",
  nftables: { minSyncPeriod: "100ms", syncPeriod: "60s" },
  // Zero leaves the kernel's own limits alone: they cannot be written from a network namespace.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
});

import { rm } from "node:fs/promises";
import { apiReady } from "./api.ts";
import { ensureBaseImage, ensurePauseImage } from "./base-image.ts";
import { kubeconfigPath } from "./certificates.ts";
import { ensureControlPlane } from "./control-plane.ts";
import { externalKubeconfig } from "./external.ts";
import { coredns, kubernetes } from "./go-binaries.ts";
import { home, homeExists } from "./home.ts";
import { gatewayAddress } from "./host-address.ts";
import { withLock } from "./lock.ts";
import { ensureContainerd, ensureNamespace, ensureNode } from "./node.ts";
import { ensureMachine } from "./packages.ts";
import { recorded, running } from "./processes.ts";
import { type Broker, broker } from "./rabbitmq.ts";
import { type Redis, redis } from "./redis.ts";
import { rootfs } from "./rootfs.ts";
import { ensureState, readState } from "./state.ts";
import { tearDown } from "./teardown.ts";

export { helm } from "./go-binaries.ts";
export { buildImage, type ImageOptions } from "./images.ts";
export { type CeleryVersion, type Python, python } from "./python.ts";
export { type Broker, type BrokerOptions, type BrokerVersion, broker, type PrivateBroker, startBroker } from "./rabbitmq.ts";
export { type PrivateRedis, type Redis, redis, startRedis } from "./redis.ts";

export { celeryImage, rabbitmqImage, redisImage } from "./server-images.ts";

export interface Cluster {
  /** Whether it is the user's own cluster, named by KUBECONFIG. */
  readonly external: boolean;
  /** The path of a kubeconfig with all rights, namespace `default`. */
  readonly kubeconfig: string;
  /** The path of kubectl. */
  readonly kubectl: string;
  /** The address at which pods reach servers on this machine. */
  readonly hostAddress: string;
  /** The image that the worker's and operator's Dockerfiles build on; never pulled. */
  readonly baseImage: string;
  /** RabbitMQ 4.0, shared by everybody. */
  readonly broker: Broker;
  /** Shared by everybody. */
  readonly redis: Redis;
}

/**
 * Makes sure that the cluster runs, and returns it: installs, builds, starts and repairs what is missing, and leaves alone what runs.
 * Several callers take turns. Throws a `StepError` that says what to do.
 */
export async function up(): Promise<Cluster> {
  const external = externalKubeconfig();
  await ensureMachine({ node: external === undefined });
  const kubeconfig = external ?? (await withLock("up", ensureLocal));
  const [baseImage, shared, store, kubectl] = await Promise.all([ensureBaseImage(), broker(), redis(), kubernetes("kubectl")]);
  return { external: external !== undefined, kubeconfig, kubectl, hostAddress: gatewayAddress(), baseImage, broker: shared, redis: store };
}

async function ensureLocal(): Promise<string> {
  // Compiling needs the processor and Debian's trees need the network: they go side by side.
  await Promise.all([kubernetes("etcd").then(coredns), rootfs("trixie").then(() => rootfs("base"))]);
  const state = await ensureState();
  const node = await ensureNamespace(state);
  const [kubeconfig] = await Promise.all([
    ensureControlPlane(state),
    ensureContainerd(state, node).then(ensurePauseImage),
    broker(),
    redis(),
  ]);
  await Promise.all([ensureNode(state, node, kubeconfig), ensureBaseImage()]);
  return kubeconfig;
}

/** Ends the cluster and every server of this home, and removes their state. Caches stay unless `purge`. Doing it twice is fine. */
export async function down({ purge = false }: { readonly purge?: boolean } = {}): Promise<void> {
  if (!homeExists()) return;
  await withLock("up", () => tearDown({ purge }));
  if (purge) await rm(home().root, { recursive: true, force: true });
}

export interface ClusterStatus {
  readonly home: string;
  readonly ready: boolean;
  readonly kubeconfig: string;
  readonly processes: readonly { readonly name: string; readonly pid: number; readonly running: boolean }[];
}

/** What runs in this home. Never starts anything. */
export async function status(): Promise<ClusterStatus> {
  const state = readState();
  const processes = recorded().map(({ name, pid }) => ({ name, pid, running: running(name) !== undefined }));
  return { home: home().root, ready: state !== undefined && (await apiReady(state)), kubeconfig: kubeconfigPath(), processes };
}

import { setTimeout as delay } from "node:timers/promises";
import { type Cluster, up } from "../cluster/cluster.ts";
import { buildImages } from "../product/images.ts";
import { kubectl } from "../product/kubectl.ts";
import { installOperator, OPERATOR_NAMESPACE } from "../product/operator.ts";
import { ageMs, cpuSeconds, operatorPids, podName, residentMb } from "./operator-processes.ts";
import { quantile, type Report } from "./report.ts";

const IDLE_SECONDS = 60;
const HTTP_PORT = 8080;

const inNamespace = (cluster: Cluster, ...args: string[]) => kubectl(cluster, ["--namespace", OPERATOR_NAMESPACE, ...args]);

/** Asks a fresh operator again and again until it says that it is ready; returns the age of its process then, ms. */
async function startToReady(cluster: Cluster, pid: number): Promise<number> {
  let address = "";
  for (let tries = 0; tries < 1_000; tries += 1) {
    address ||= await inNamespace(cluster, "get", "pod", podName(pid), "-o", "jsonpath={.status.podIP}");
    const ready =
      address !== "" &&
      (await fetch(`http://${address}:${HTTP_PORT}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ));
    if (ready) return ageMs(pid);
    await delay(10);
  }
  throw new Error(`the operator of process ${pid} was not ready`);
}

/** Waits until as many operators run as the Deployment asks for, no old one among them. */
async function settled(cluster: Cluster, gone: ReadonlySet<number>): Promise<readonly number[]> {
  await inNamespace(cluster, "rollout", "status", "deployment/longshore", "--timeout=60s");
  const wanted = Number(await inNamespace(cluster, "get", "deployment", "longshore", "-o", "jsonpath={.spec.replicas}"));
  for (let tries = 0; tries < 300; tries += 1) {
    const pids = operatorPids();
    if (pids.length === wanted && !pids.some((pid) => gone.has(pid))) return pids;
    await delay(200);
  }
  throw new Error(`there were not exactly ${wanted} operators within 60 s`);
}

/** Deletes all operator pods and measures each new one. */
async function restart(cluster: Cluster): Promise<readonly number[]> {
  const before = new Set(await settled(cluster, new Set()));
  await inNamespace(cluster, "delete", "pods", "--all", "--wait=false");
  const fresh = new Map<number, Promise<number>>();
  for (let tries = 0; fresh.size < before.size; tries += 1) {
    if (tries > 3_000) throw new Error(`of ${before.size} operators only ${fresh.size} came back within 60 s`);
    for (const pid of operatorPids()) if (!before.has(pid) && !fresh.has(pid)) fresh.set(pid, startToReady(cluster, pid));
    await delay(20);
  }
  const times = await Promise.all(fresh.values());
  await settled(cluster, before);
  return times;
}

/** Resident memory, idle processor time, and the time from process start to ready, of the operator as the chart installs it. */
export async function footprint({ trials = 5 }: { trials: number | undefined }): Promise<Report> {
  const cluster = await up();
  await installOperator(cluster, await buildImages(cluster));
  const starts: number[] = [];
  for (let trial = 0; trial < trials; trial += 1) starts.push(...(await restart(cluster)));
  await delay(20_000); // a new leader, its first look at everything
  const before = new Map(operatorPids().map((pid) => [pid, cpuSeconds(pid)]));
  await delay(IDLE_SECONDS * 1_000);
  const idle = [...before].map(([pid, seconds]) => (100 * (cpuSeconds(pid) - seconds)) / IDLE_SECONDS);
  const resident = [...before.keys()].map(residentMb);
  const pools = (await kubectl(cluster, ["get", "workerpools", "--all-namespaces", "--output", "name"])).split("\n").filter(Boolean).length;
  return {
    bench: "footprint",
    figures: {
      rss_max_mb: Math.max(...resident),
      idle_cpu_max_percent: Math.max(...idle),
      start_to_ready_p50_ms: quantile(starts, 0.5),
      start_to_ready_max_ms: Math.max(...starts),
    },
    peers: {},
    settings: { operator_pods: before.size, idle_seconds: IDLE_SECONDS, restarts: trials, pools },
    series: { start_to_ready_ms: starts },
  };
}

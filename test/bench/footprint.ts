import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { up } from "../cluster/cluster.ts";
import { buildImages } from "../product/images.ts";
import { kubectl } from "../product/kubectl.ts";
import { installOperator, OPERATOR_NAMESPACE } from "../product/operator.ts";
import { quantile, type Report } from "./report.ts";

const IDLE_SECONDS = 30;
const TICKS_PER_SECOND = 100;

/** Operator processes on this machine: pods of the local cluster are processes of the host. */
function operatorPids(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        return (
          /\/operator\/main\.mjs|\/app\/main\.mjs/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8")) &&
          readFileSync(`/proc/${pid}/environ`, "utf8").includes("POD_NAMESPACE=longshore-system")
        );
      } catch {
        return false; // it ended meanwhile
      }
    });
}

const residentMb = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly lastTransitionTime: string }[];
    readonly containerStatuses: readonly { readonly state: { readonly running?: { readonly startedAt: string } } }[];
  };
}

/** Resident memory, idle processor time, and the time from container start to ready of the operator as the chart installs it. */
export async function footprint({ trials = 5 }: { trials: number | undefined }): Promise<Report> {
  const cluster = await up();
  await installOperator(cluster, await buildImages(cluster));
  const inNamespace = (...args: string[]) => kubectl(cluster, ["--namespace", OPERATOR_NAMESPACE, ...args]);
  const starts: number[] = [];
  for (let trial = 0; trial < trials; trial += 1) {
    await inNamespace("delete", "pods", "--all", "--wait=true");
    await inNamespace("rollout", "status", "deployment/longshore", "--timeout=60s");
    const { items } = JSON.parse(await inNamespace("get", "pods", "-o", "json")) as { items: Pod[] };
    for (const { status } of items) {
      const started = Date.parse(status.containerStatuses[0]?.state.running?.startedAt ?? "");
      const ready = Date.parse(status.conditions.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "");
      starts.push((ready - started) / 1_000); // whole seconds: this is what Kubernetes records
    }
  }
  const before = new Map(operatorPids().map((pid) => [pid, cpuSeconds(pid)]));
  await delay(IDLE_SECONDS * 1_000);
  const idle = [...before].map(([pid, seconds]) => (100 * (cpuSeconds(pid) - seconds)) / IDLE_SECONDS);
  const resident = [...before.keys()].map(residentMb);
  return {
    bench: "footprint",
    figures: {
      rss_max_mb: Math.max(...resident),
      idle_cpu_max_percent: Math.max(...idle),
      start_to_ready_p50_s: quantile(starts, 0.5),
      start_to_ready_max_s: Math.max(...starts),
    },
    peers: {},
    settings: { operator_pods: before.size, idle_seconds: IDLE_SECONDS, restarts: trials },
    series: { start_to_ready_s: starts },
  };
}

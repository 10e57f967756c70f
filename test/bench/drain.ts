import { setTimeout as delay } from "node:timers/promises";
import amqp from "amqplib";
import { loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import { createKube } from "../../operator/adapters/kubernetes/kube.ts";
import { type Cluster, up } from "../cluster/cluster.ts";
import { buildImages } from "../product/images.ts";
import { kubectl } from "../product/kubectl.ts";
import { removeNamespace } from "../product/namespace.ts";
import { installOperator, OPERATOR_NAMESPACE } from "../product/operator.ts";
import { type Audit, audit } from "./drain/audit.ts";
import { killOperator } from "./drain/kill-operator.ts";
import { type Entry, openLedger } from "./drain/ledger.ts";
import { seeded } from "./drain/load.ts";
import { scalePlainly } from "./drain/plain-scaler.ts";
import { applyPools, type DrainPool, drainPools, GRACE_SECONDS } from "./drain/pools.ts";
import { redeliveries } from "./drain/redeliveries.ts";
import { type Swung, swing } from "./drain/swing.ts";
import type { Report } from "./report.ts";

const CONTROL = "bench-drain-control";
/** More would start more pods at a time than two cores can, and a pod that is told to stop would not hear it within its grace period. */
const POOLS = 6;
const TASKS_PER_SCALE_IN = 17;
/** The control shows what is being prevented: a part of the run is enough for that. */
const CONTROL_SHARE = 1 / 5;
const SEED = 4;
const WITHIN_SECONDS = 20 * 60;
/** From one end of an operator to the next, ms: this long and up to twice as long. */
const KILL_EVERY_MS = 75_000;

/** Ends an operator now and then, until the signal aborts. Returns how many were the leader, and how many there were. */
async function killOperators(cluster: Cluster, signal: AbortSignal): Promise<{ leaders: number; all: number }> {
  const random = seeded(SEED);
  const killed = { leaders: 0, all: 0 };
  while (!signal.aborted) {
    await delay(KILL_EVERY_MS * (1 + random()), undefined, { signal }).catch(() => {}); // Aborted: the loop ends.
    if (signal.aborted) break;
    const who = await killOperator(cluster, random);
    if (who !== undefined) killed.all += 1;
    if (who === "leader") killed.leaders += 1;
  }
  return killed;
}

interface Phase extends Swung {
  readonly verdict: ReturnType<typeof audit>;
  readonly redelivered: number;
}

/** One run: its own namespace and ledger; `disturb` goes on beside the load until the signal aborts. */
async function phase<T>(
  cluster: Cluster,
  namespace: string,
  pools: readonly DrainPool[],
  target: { readonly tasks: number; readonly scaleIns: number },
  disturb: (context: { ledger: Awaited<ReturnType<typeof openLedger>>; channel: amqp.ConfirmChannel; signal: AbortSignal }) => Promise<T>,
): Promise<Phase & { readonly disturbed: T }> {
  await using ledger = await openLedger();
  const connection = await amqp.connect(cluster.broker.uri);
  const done = new AbortController();
  try {
    const channel = await connection.createConfirmChannel();
    // What a run that was cut off left behind is not this one's.
    await kubectl(cluster, ["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
    for (const { name } of pools) await channel.deleteQueue(name);
    await applyPools(cluster, namespace, ledger.port, pools);
    const disturbing = disturb({ ledger, channel, signal: done.signal });
    const load = swing({
      cluster,
      namespace,
      pools,
      channel,
      ledger,
      ...target,
      withinSeconds: WITHIN_SECONDS,
      seed: SEED * 1_000,
    });
    // What disturbs never ends first, unless it fails.
    const swung = await Promise.race([load, disturbing.then(() => load)]);
    done.abort();
    const disturbed = await disturbing;
    const verdict = audit(ledger.entries);
    explain(ledger.entries, verdict);
    return {
      ...swung,
      verdict,
      disturbed,
      redelivered: await redeliveries(
        cluster,
        pools.map(({ name }) => name),
      ),
    };
  } finally {
    done.abort();
    await removeNamespace(cluster, namespace);
    await connection.close();
  }
}

/** What happened to the tasks and pods that did not go as they should, for whoever has to find out why. */
function explain(entries: readonly Entry[], { busyWhenTold, untold, killedOrRedelivered }: Audit): void {
  for (const task of killedOrRedelivered.slice(0, 10)) {
    const story = entries.filter((entry) => "task" in entry && entry.task === task);
    process.stderr.write(`  task ${task}: ${JSON.stringify(story)}\n`);
  }
  for (const pod of [...busyWhenTold, ...untold].slice(0, 10)) {
    process.stderr.write(`  pod ${pod}: ${JSON.stringify(entries.filter((entry) => entry.pod === pod).slice(-6))}\n`);
  }
}

const lost = ({ verdict, redelivered }: Phase): number => Math.max(verdict.killedOrRedelivered.length, redelivered);

/**
 * Pools with a swinging load, whose operator is killed now and then: every pod that goes must have been idle when it was told to stop, and no
 * task may be killed or delivered again. Then the same load on the same pods with nothing but a patch of the scale.
 */
export async function drain({ trials = 300 }: { trials: number | undefined }): Promise<Report> {
  const cluster = await up();
  await installOperator(cluster, await buildImages(cluster));
  const pools = drainPools(POOLS);
  const target = (share: number) => ({ scaleIns: Math.ceil(trials * share), tasks: Math.ceil(trials * share * TASKS_PER_SCALE_IN) });
  const drained = await phase(cluster, "bench-drain", pools, target(1), ({ signal }) => killOperators(cluster, signal));

  const operators = (replicas: number) =>
    kubectl(cluster, ["--namespace", OPERATOR_NAMESPACE, "scale", "deployment", "longshore", `--replicas=${replicas}`]);
  const kube = createKube(await loadAccess({ KUBECONFIG: cluster.kubeconfig }), { random: Math.random });
  try {
    const control = await phase(cluster, CONTROL, pools, target(CONTROL_SHARE), async ({ ledger, channel, signal }) => {
      await operators(0);
      await kubectl(cluster, ["--namespace", OPERATOR_NAMESPACE, "wait", "--for=delete", "pods", "--all", "--timeout=60s"]);
      try {
        await scalePlainly(kube, CONTROL, pools, channel, ledger, signal);
      } finally {
        await operators(2); // it lets go of the queues when the namespace goes
      }
    });
    return {
      bench: "drain",
      figures: {
        tasks: drained.sent,
        scale_ins: drained.scaleIns,
        killed_or_redelivered: lost(drained),
        busy_when_told: drained.verdict.busyWhenTold.length,
        control_killed_or_redelivered: lost(control),
        killed_or_begun_twice: drained.verdict.killedOrTwice.length,
        redelivered_by_broker: drained.redelivered,
        pods_removed: drained.removed,
        untold: drained.verdict.untold.length,
        operators_killed: drained.disturbed.all,
        leaders_killed: drained.disturbed.leaders,
        seconds: drained.seconds,
        control_killed_or_begun_twice: control.verdict.killedOrTwice.length,
        control_tasks: control.sent,
        control_scale_ins: control.scaleIns,
        control_busy_when_told: control.verdict.busyWhenTold.length,
        control_seconds: control.seconds,
      },
      peers: {
        "control: the same load and pods, scale patched by the same threshold without drain": { killed_or_redelivered: lost(control) },
      },
      settings: {
        pools: POOLS,
        replicas: "0 or 1 to 4, 1 or 2 slots",
        pods_max: drained.podsMax,
        window_seconds: "0 to 2",
        task_seconds: "0.05 to 20, Pareto 0.9",
        termination_grace_seconds: GRACE_SECONDS,
        broker: `RabbitMQ ${cluster.broker.version}, quorum queues`,
        operator: `installed by the chart, 2 replicas, one killed every ${KILL_EVERY_MS / 1_000} to ${(2 * KILL_EVERY_MS) / 1_000} s`,
      },
    };
  } finally {
    kube[Symbol.dispose]();
  }
}

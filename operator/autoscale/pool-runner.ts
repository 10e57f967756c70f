import type { KubePort, RemoteControlPort } from "../adapters/ports.ts";
import { DEPLOYMENTS } from "../kinds/worker-pool/apply-deployment.ts";
import type { Deployment } from "../kinds/worker-pool/deployment.ts";
import type { Pod } from "../kinds/worker-pool/pods.ts";
import type { WorkerPool } from "../kinds/worker-pool/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import type { KubeObject } from "../runtime/object.ts";
import { rfc3339 } from "../runtime/truth/conditions.ts";
import type { EventRecorder } from "../runtime/truth/events.ts";
import { type Growth, settleGrowth } from "./decide/debounce.ts";
import type { Decision } from "./decide/decide.ts";
import { evaluate, freshMemory, type Memory } from "./decide/evaluate.ts";
import type { Next } from "./decide/next.ts";
import { overrule } from "./decide/overrule.ts";
import { createDrainer } from "./drain/drain.ts";
import { cheapestOf, consumingAgain, drainSteps } from "./drain/drain-steps.ts";
import { goingPods } from "./drain/going.ts";
import { createHandedOver } from "./drain/handed-over.ts";
import { createMarkAges } from "./drain/mark-ages.ts";
import { type Resize, resize } from "./drain/resize.ts";
import { createStrays } from "./drain/strays.ts";
import { createVerdicts } from "./drain/verify.ts";
import type { AutoscaleMetrics } from "./metrics.ts";
import type { Sight } from "./observe/perception.ts";
import { createScaleView } from "./scale-view.ts";
import { createSight, type Sources } from "./sense/pool-sight.ts";

export interface RunnerOptions {
  readonly kube: Pick<KubePort, "patch">;
  readonly namespace: string;
  readonly name: string;
  readonly events: Pick<EventRecorder, "record">;
  readonly metrics: AutoscaleMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RunInput extends Omit<Sources, "now"> {
  readonly pool: WorkerPool;
  readonly deployment: Deployment;
}

/** What one run saw and decided. */
export interface Run {
  readonly sight: Sight;
  readonly decision: Decision;
  readonly next: Next;
  readonly draining: number;
  readonly lastScaleTime: string | undefined;
  /** A burst is arriving: look again soon. */
  readonly pending: boolean;
  /** Ends when what was decided is done. Never rejects. */
  readonly acted: Promise<void>;
}

/** The autoscaler of one pool: sees, decides and acts, and remembers what the next run needs. One action at a time. */
export function createPoolRunner(options: RunnerOptions): (input: RunInput) => Run {
  const { kube, namespace, name, events, metrics, clock, log } = options;
  const see = createSight();
  const scaleView = createScaleView(clock.elapsed());
  const verdicts = createVerdicts();
  const markAges = createMarkAges(clock);
  const handedOver = createHandedOver(clock);
  const strays = createStrays(clock);
  let memory: Memory | undefined;
  let growth: Growth | undefined;
  let lastScaleTime: string | undefined;
  let unknownSince: number | undefined;
  let acting: Promise<void> | undefined;
  let control: RemoteControlPort | undefined;
  let cooperates = true;
  let queues: readonly string[] = [];
  const drainer = createDrainer({
    kube,
    namespace,
    queues: () => queues,
    cooperates: () => cooperates,
    control: () => control,
    elapsed: () => clock.elapsed(),
    now: () => clock.now(),
  });

  const setScale = async (pool: WorkerPool, from: number, plan: Resize, decision: Decision, pods: readonly Pod[]): Promise<void> => {
    const { scale: to } = plan;
    if (to === undefined) return;
    // Before the answer: a patch whose answer is lost may have been done.
    handedOver.give(plan.removed);
    const answer = await kube.patch<KubeObject>(DEPLOYMENTS, namespace, name, { spec: { replicas: to } }, "scale");
    scaleView.patched(to, answer.metadata.resourceVersion, clock.elapsed());
    lastScaleTime = rfc3339(clock.now());
    metrics.resized(namespace, name, to > from ? "up" : "down");
    if (plan.removed.length > 0) verdicts.expect(plan.removed, pods, clock.elapsed());
    metrics.removed(namespace, name, plan);
    log.info({ from, to, reason: decision.reason, why: decision.message, removed: plan.removed }, "pool resized");
    events.record({ regarding: pool, reason: decision.reason, action: "Scale", note: `${from} -> ${to}: ${decision.message}` });
    if (plan.timedOut.length > 0) {
      const note = `${some(plan.timedOut)} removed with tasks that still ran, for scaleDown.drainTimeoutSeconds is over`;
      events.record({ regarding: pool, reason: "DrainTimeout", action: "Drain", note });
    }
  };

  const tellDrain = (pool: WorkerPool, from: number, { drain, pardon }: Resize, { reason, replicas, message }: Decision): void => {
    const drained = `drains ${some(drain)}, ${from} -> ${replicas}: ${message}`;
    if (drain.length > 0) events.record({ regarding: pool, reason, action: "Drain", note: drained });
    if (pardon.length > 0) events.record({ regarding: pool, reason, action: "Undrain", note: `${some(pardon)} back to work: ${message}` });
  };

  const act = async ({ pool, pods, plan: of }: RunInput, from: number, plan: Resize, decision: Decision, sight: Sight): Promise<void> => {
    const starting = new Set(sight.observation.pods.flatMap((pod) => (pod.state === "starting" ? [pod.name] : [])));
    tellDrain(pool, from, plan, decision);
    const failed = (error: unknown): void => log.warn(errorFields(error), "cannot carry out a step of resizing, trying again");
    // The word to come back leaves before the patch does; a pod takes far longer to start than that to arrive. Nobody waits for the answers: they
    // may be late, and what is decided meanwhile shall not be.
    void drainer.pardon(plan.pardon, consumingAgain({ sight, plan: of, drainer })).catch(failed);
    const marked = Promise.all(plan.drain.map((pod) => drainer.mark(pod)));
    const toAsk = [...plan.cordon, ...plan.drain.filter((pod) => !starting.has(pod))];
    void marked.then(() => drainer.cordon(toAsk)).catch(failed);
    const results = await Promise.allSettled([
      marked,
      ...plan.cheapen.map((pod) => drainer.cheapen(pod)),
      ...plan.keep.map((pod) => drainer.keep(pod)),
      setScale(pool, from, plan, decision, pods),
    ]);
    for (const result of results) {
      if (result.status === "rejected") failed(result.reason);
    }
  };

  return (input) => {
    const { pool, deployment, plan, pods } = input;
    const now = clock.elapsed();
    queues = plan.queues.map((queue) => queue.name);
    cooperates = plan.cooperation === "remote-control";
    control = cooperates ? input.broker?.control : undefined;
    const names = new Set(pods.map(({ metadata }) => metadata.name));
    drainer.forget(names);
    markAges.forget(names);
    const current = scaleView.replicas(deployment, now);
    const cheapest = cheapestOf(pods);
    const whole = see({ ...input, now });
    const going = goingPods(whole.observation.pods, cheapest, current, scaleView.unchangedForMs(now));
    const sight = without(whole, new Set([...going, ...handedOver.among(names)]));
    const { observation } = sight;
    const living = observation.pods.filter(({ state }) => state !== "leaving");
    const draining = Math.min(current, living.filter(({ drainingSince }) => drainingSince !== undefined).length);
    // A pod that is asked for and not there yet starts, too.
    const starting = Math.max(0, current - living.filter(({ ready }) => ready).length);
    memory ??= freshMemory(current - draining, now);
    const step = evaluate(memory, { ...plan, ...sight, now, current, draining, starting });
    memory = step.memory;
    const decision = overrule(step.decision, plan.obstacle, current, draining);
    const settled = settleGrowth(
      growth,
      {
        backlog: observation.total.value,
        replicas: decision.replicas,
        size: current - draining,
        atMaximum: decision.reason === "AtMaximum" || plan.target === undefined,
      },
      now,
    );
    growth = settled.growth;
    for (const surprise of verdicts.check(pods, now)) {
      events.record({ regarding: pool, reason: "DrainSurprise", action: "Drain", note: surprise });
    }
    const wanted = resize({
      decision,
      current,
      pods: observation.pods,
      steps: drainSteps({ ...input, sight, drainer, markAges, clock }),
      cheapest,
      unchangedForMs: scaleView.unchangedForMs(now),
      rollingOut: isRollingOut(deployment),
      withoutDrain: plan.target === undefined && plan.cooperation === "none",
    });
    const astray = control === undefined || !decision.act ? [] : strays(observation.pods, sight.pods, queues);
    const toDo = { ...wanted, pardon: drainer.unasked([...wanted.pardon, ...astray]) };
    if (acting === undefined && settled.act && isWork(toDo)) {
      acting = act(input, current, toDo, decision, sight).finally(() => (acting = undefined));
    }
    unknownSince = toDo.unknown > 0 && draining === 0 ? (unknownSince ?? now) : undefined;
    metrics.observed(namespace, name, observation, decision, draining);
    return {
      sight,
      decision: unknownSince !== undefined && now - unknownSince >= HEARD_WITHIN_MS ? blocked(decision, toDo.unknown) : decision,
      next: step.next,
      draining,
      lastScaleTime,
      pending: growth !== undefined,
      acted: acting ?? Promise.resolve(),
    };
  };
}

/** A pod that has just begun is heard of within this time, by the broker's slowest list, ms. */
const HEARD_WITHIN_MS = 15_000;

/** It would shrink, and cannot. */
const blocked = (decision: Decision, pods: number): Decision => ({
  ...decision,
  reason: "DrainUnknown",
  message: `${pods} more would go, but what they have in flight is not known; decided: ${decision.replicas} (${decision.message})`,
});

const some = (pods: readonly string[]): string => pods.slice(0, 5).join(", ") + (pods.length > 5 ? ` and ${pods.length - 5} more` : "");

const isWork = ({ scale, pardon, drain, cordon, cheapen, keep }: Resize): boolean =>
  scale !== undefined || pardon.length + drain.length + cordon.length + cheapen.length + keep.length > 0;

/** What is about to be deleted counts as leaving already. */
function without(sight: Sight, going: ReadonlySet<string>): Sight {
  if (going.size === 0) return sight;
  const pods = sight.observation.pods.map((pod) => (going.has(pod.name) ? { ...pod, state: "leaving" as const } : pod));
  return { ...sight, observation: { ...sight.observation, pods } };
}

function isRollingOut({ spec, status, metadata }: Deployment): boolean {
  if (status === undefined) return false;
  const behind =
    status.observedGeneration !== undefined && metadata.generation !== undefined && status.observedGeneration < metadata.generation;
  // A generation is behind for a moment after every scale, too: what counts is whether pods of an old template are left.
  return !behind && (status.updatedReplicas ?? 0) < Math.min(status.replicas ?? 0, spec.replicas ?? 1);
}

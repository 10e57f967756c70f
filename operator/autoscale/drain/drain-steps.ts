import type { Pod } from "../../kinds/worker-pool/pods.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { PoolPlan } from "../decide/policy.ts";
import type { Sight } from "../observe/perception.ts";
import type { BrokerSensor } from "../sense/broker-sensor.ts";
import { DELETION_COST_ANNOTATION, LOWEST_COST } from "../sense/pod-readings.ts";
import type { Drainer } from "./drain.ts";
import { type DrainStep, planDrain, SETTLE_MS } from "./drain-plan.ts";
import type { MarkAges } from "./mark-ages.ts";

export interface DrainView {
  readonly pods: readonly Pod[];
  readonly plan: PoolPlan;
  readonly broker: BrokerSensor | undefined;
  readonly sight: Sight;
  readonly drainer: Pick<Drainer, "cordonOf">;
  readonly markAges: Pick<MarkAges, "of">;
  readonly clock: Clock;
}

/** What comes next for each pod that is being drained, by its name. */
export function drainSteps({ pods, plan, broker, sight, drainer, markAges, clock }: DrainView): ReadonlyMap<string, DrainStep> {
  const now = clock.elapsed();
  const byName = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const steps = new Map<string, DrainStep>();
  for (const { name, state, drainingSince } of sight.observation.pods) {
    const pod = byName.get(name);
    if (drainingSince === undefined || pod === undefined) continue;
    const cordon = drainer.cordonOf(name);
    const draining = {
      state,
      assigned: pod.spec?.nodeName !== undefined,
      markedForMs: markAges.of(name, drainingSince),
      cordonedAt: cordon?.cordonedAt,
      // To be called back is another question: the cordon may be asked for at once.
      askedAt: cordon?.pardonedAt === undefined ? cordon?.askedAt : undefined,
      work: sight.pods.find((one) => one.name === name)?.work,
      brokerUnacked: pod.status?.podIP === undefined ? undefined : broker?.unackedOf(pod.status.podIP),
      cheapest: isCheapest(pod),
    };
    steps.set(name, planDrain(draining, plan.cooperation, now, plan.drainTimeoutMs));
  }
  return steps;
}

/**
 * Names of the pods that do not have to be asked whether they consume again: they have not begun to, or they said that they do, after they had
 * been called back. Commands are carried out in their order, so that a cordon from before cannot follow.
 */
export function consumingAgain({ sight, plan, drainer }: Pick<DrainView, "sight" | "plan" | "drainer">): ReadonlySet<string> {
  const again = new Set(sight.observation.pods.flatMap(({ name, state }) => (state === "starting" ? [name] : [])));
  for (const { name, work } of sight.pods) {
    const pardonedAt = drainer.cordonOf(name)?.pardonedAt;
    if (pardonedAt === undefined || work === undefined || work.at < pardonedAt + SETTLE_MS) continue;
    if (plan.queues.every((queue) => work.value.consuming?.includes(queue.name) === true)) again.add(name);
  }
  return again;
}

/** Names of the pods that the ReplicaSet controller takes first, as our cache sees them. */
export const cheapestOf = (pods: readonly Pod[]): ReadonlySet<string> =>
  new Set(pods.flatMap((pod) => (isCheapest(pod) ? [pod.metadata.name] : [])));

const isCheapest = ({ metadata }: Pod): boolean => metadata.annotations?.[DELETION_COST_ANNOTATION] === LOWEST_COST;

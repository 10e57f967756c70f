import type { Reason } from "../../runtime/truth/reasons.ts";
import type { Trust } from "../observe/observation.ts";
import type { DecideInput, Decision, Pause } from "./decide.ts";

type Rule = (soFar: Decision, input: DecideInput) => Decision;

/** Replicas that serve now. */
const sizeOf = ({ current, draining }: DecideInput): number => current - draining;

const seconds = (ms: number): string => `${Math.ceil(ms / 1_000)} s`;

/** Keeps at least `replicas` and says why. */
const keep = (soFar: Decision, replicas: number, reason: Reason, why: string): Decision =>
  replicas === soFar.replicas ? soFar : { ...soFar, replicas, reason, message: `${why}; needed: ${soFar.replicas} (${soFar.message})` };

const hold = (soFar: Decision, input: DecideInput, reason: Reason, why: string): Decision => ({
  ...soFar,
  replicas: sizeOf(input),
  reason,
  message: `held at ${sizeOf(input)}: ${why}`,
  held: true,
});

const holdArrivalRate: Rule = (soFar, input) => {
  const steady = Math.min(sizeOf(input), input.need.steady);
  return soFar.replicas >= steady ? soFar : keep(soFar, steady, "ArrivalRate", `the arrival rate keeps ${steady} busy`);
};

const waitBeforeGrowing: Rule = (soFar, input) => {
  const { upWindowMs } = input.policy;
  const allowed = Math.max(sizeOf(input), input.lowestNeed);
  if (upWindowMs === 0 || soFar.replicas <= allowed) return soFar;
  return keep(soFar, allowed, "ScaleUpWindow", `more must be needed for ${seconds(upWindowMs)} first`);
};

const waitBeforeShrinking: Rule = (soFar, input) => {
  const { downWindowMs } = input.policy;
  const least = Math.min(sizeOf(input), input.highestNeed);
  if (soFar.replicas >= least) return soFar;
  return keep(soFar, least, "ScaleDownWindow", `up to ${least} were needed within the last ${seconds(downWindowMs)}`);
};

const coolDown: Rule = (soFar, input) => {
  const left = input.policy.cooldownMs - (input.now - input.lastBusyAt);
  if (soFar.replicas > 0 || sizeOf(input) === 0 || left <= 0) return soFar;
  return keep(soFar, 1, "CoolingDown", `the last replica goes when nothing has been to do for ${seconds(input.policy.cooldownMs)}`);
};

const limitSteps: Rule = (soFar, input) => {
  const { upMaxStep, downMaxStep } = input.policy;
  const most = Math.max(sizeOf(input), sizeOf(input) - input.starting + (upMaxStep ?? Number.POSITIVE_INFINITY));
  if (soFar.replicas > most) return keep(soFar, most, "ScaleUpLimit", `at most ${upMaxStep} are started at once`);
  const least = Math.min(sizeOf(input), input.current - (downMaxStep ?? Number.POSITIVE_INFINITY));
  if (soFar.replicas < least) return keep(soFar, least, "ScaleDownLimit", `at most ${downMaxStep} are drained at once`);
  return soFar;
};

const stopUselessGrowth: Rule = (soFar, input) =>
  input.ineffective === undefined || soFar.replicas <= sizeOf(input)
    ? soFar
    : keep(soFar, sizeOf(input), "ScalingIneffective", `not growing: ${input.ineffective}`);

const DOUBT_REASONS: Readonly<Record<Exclude<Trust, "fresh">, Reason>> = {
  unconfirmed: "ZeroUnconfirmed",
  stale: "BacklogStale",
  contradicted: "BacklogContradicted",
  missing: "BacklogUnknown",
};

/** Known work may start replicas, unknown work never removes one. */
const holdOnDoubt: Rule = (soFar, input) => {
  const { trust } = input.observation.total;
  if (trust === "fresh" || soFar.replicas > sizeOf(input)) return soFar;
  // Nothing is held back where nothing would be removed: a pool at zero that waits for its first message is simply idle.
  if (trust === "unconfirmed" && soFar.replicas === sizeOf(input) && input.draining === 0) return soFar;
  const { missingQueues, doubts } = input.observation;
  return hold(
    soFar,
    input,
    missingQueues.length > 0 ? "QueueMissing" : DOUBT_REASONS[trust],
    doubts.join("; ") || "the backlog is not known",
  );
};

const holdOnAlarm: Rule = (soFar, input) => {
  const { alarms } = input.observation;
  return alarms.length === 0
    ? soFar
    : hold(soFar, input, "BrokerAlarm", `the broker has an alarm and blocks publishers: ${alarms.join(", ")}`);
};

const holdWhenNew: Rule = (soFar, input) => {
  const { trustedSince, now, policy } = input;
  if (soFar.replicas >= sizeOf(input) && input.draining === 0) return soFar;
  if (soFar.replicas > sizeOf(input)) return soFar;
  const left = trustedSince === undefined ? policy.downWindowMs : policy.downWindowMs - (now - trustedSince);
  return left <= 0
    ? soFar
    : hold(
        soFar,
        input,
        "NewLeader",
        `this operator has just begun, and watches for ${seconds(policy.downWindowMs)} before it removes anything`,
      );
};

const stayInBounds: Rule = (soFar, { policy }) => {
  const floors = [
    [policy.minReplicas, "AtMinimum", `minReplicas is ${policy.minReplicas}`],
    [policy.scheduledFloor, "ScheduledFloor", `a scheduled floor of ${policy.scheduledFloor} holds`],
    [policy.manualFloor, "ManualFloor", `spec.replicas is a floor of ${policy.manualFloor}`],
  ] as const;
  const [floor, reason, why] = floors.reduce((highest, row) => (row[0] > highest[0] ? row : highest));
  if (soFar.replicas < floor && floor <= policy.maxReplicas) return keep(soFar, floor, reason, why);
  if (soFar.replicas > policy.maxReplicas || floor > policy.maxReplicas) {
    // The owner's bound needs no data: it shrinks a pool even on doubt.
    const bounded = keep(soFar, policy.maxReplicas, "AtMaximum", `maxReplicas is ${policy.maxReplicas}`);
    return bounded === soFar ? soFar : { ...bounded, held: false };
  }
  return soFar;
};

/** Nothing is drained during a pause that forbids to shrink, and what is being drained is given back: a pause may last for days. */
const obeyPause: Rule = (soFar, { pause, current }) => {
  if (!isPaused(pause, soFar.replicas, current)) return soFar;
  const message = `held at ${current}: paused by annotation; otherwise ${soFar.replicas} (${soFar.message})`;
  return { ...soFar, replicas: current, reason: "Paused", message, held: true };
};

/** Whether the pause forbids this size. */
export const isPaused = (pause: Pause, replicas: number, current: number): boolean =>
  pause === "all" || (pause === "up" && replicas > current) || (pause === "down" && replicas < current);

const adviseOnly: Rule = (soFar, { policy }) =>
  policy.advise ? { ...soFar, act: false, message: `advice only: ${soFar.replicas} (${soFar.message})` } : soFar;

/** Read top to bottom: a later rule overrides, and the last one to speak gives the reason that is shown. Bounds win over doubt, the owner over bounds. */
export const RULES: readonly Rule[] = [
  holdArrivalRate,
  waitBeforeGrowing,
  waitBeforeShrinking,
  coolDown,
  limitSteps,
  stopUselessGrowth,
  holdOnDoubt,
  holdWhenNew,
  holdOnAlarm,
  stayInBounds,
  obeyPause,
  adviseOnly,
];

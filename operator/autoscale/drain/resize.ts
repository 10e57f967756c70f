import type { Decision } from "../decide/decide.ts";
import type { PodSeen } from "../observe/observation.ts";
import type { DrainStep } from "./drain-plan.ts";
import { choosePardons, chooseVictims } from "./victims.ts";

/** How many replicas are asked for but have no pod yet wait this long before they are given up without a drain, ms: our cache may lag. */
const PHANTOM_MS = 15_000;

export interface ResizeInput {
  readonly decision: Pick<Decision, "replicas" | "held" | "act">;
  /** `spec.replicas` of the Deployment. */
  readonly current: number;
  readonly pods: readonly PodSeen[];
  /** What comes next for each pod that is being drained, by name. */
  readonly steps: ReadonlyMap<string, DrainStep>;
  /** Pods with the lowest deletion cost. */
  readonly cheapest: ReadonlySet<string>;
  /** Since how long the scale has not been changed, ms. */
  readonly unchangedForMs: number;
  /** Pods are being replaced: which of them a smaller scale would take cannot be said. */
  readonly rollingOut: boolean;
  /** Fixed by the owner on an image that cannot be drained: SIGTERM is all there is. */
  readonly withoutDrain: boolean;
}

/** What to do now to come to the decided size. */
export interface Resize {
  /** To give back to the work, before any new pod starts. */
  readonly pardon: readonly string[];
  /** To begin to drain. */
  readonly drain: readonly string[];
  /** To cancel the consumers of. */
  readonly cordon: readonly string[];
  /** To give the lowest deletion cost. */
  readonly cheapen: readonly string[];
  /** To take that from again. */
  readonly keep: readonly string[];
  /** The scale to set, or undefined to leave it. */
  readonly scale: number | undefined;
  /** Drained, and expected to go with the scale. */
  readonly removed: readonly string[];
  /** Of these, the ones that still work: their time is over. */
  readonly timedOut: readonly string[];
  /** How many more would be drained, if it were known what they have in flight. */
  readonly unknown: number;
}

const NOTHING: Resize = {
  pardon: [],
  drain: [],
  cordon: [],
  cheapen: [],
  keep: [],
  scale: undefined,
  removed: [],
  timedOut: [],
  unknown: 0,
};

/** The steps from the present size to the decided one: up in one, down by the pods that are drained. Never lowers the scale below the decision. */
export function resize(input: ResizeInput): Resize {
  const { decision, current, pods, steps } = input;
  const living = pods.filter(({ state }) => state !== "leaving");
  const draining = living.filter(({ drainingSince }) => drainingSince !== undefined);
  // Advice only: what was begun before is given back, for nobody would end it.
  if (!decision.act) return { ...NOTHING, pardon: draining.map(({ name }) => name) };
  const surplus = Math.max(0, current - decision.replicas);
  if (input.withoutDrain) return { ...NOTHING, scale: decision.replicas === current ? undefined : decision.replicas };

  // Replicas without a pod, as under a quota, have nothing to drain.
  const phantoms = input.unchangedForMs < PHANTOM_MS ? 0 : Math.max(0, Math.min(surplus, current - living.length));
  const wanted = surplus - phantoms;
  const pardon = choosePardons(pods, draining.length - wanted).map(({ name }) => name);
  const kept = draining.map(({ name }) => name).filter((name) => !pardon.includes(name));
  const next = (step: DrainStep) => kept.filter((name) => steps.get(name) === step);

  const done = [...next("remove"), ...next("time-out")];
  const unsure = (input.rollingOut && decision.replicas > 0) || othersGoFirst(living, done, input);
  const removable = decision.held || unsure ? [] : done;
  const lower = decision.held ? 0 : removable.length + phantoms;
  const scale = decision.replicas > current ? decision.replicas : lower > 0 ? Math.max(decision.replicas, current - lower) : undefined;
  const removed = scale !== undefined && scale < current ? removable : [];
  const more = decision.held
    ? 0
    : Math.max(
        0,
        wanted - kept.length,
        Math.min(newborn(living).length, kept.length - startingOf(living, kept)),
        exchanges(living, next("wait")),
      );
  const drain = chooseVictims(pods, more).map(({ name }) => name);
  return {
    pardon,
    drain,
    cordon: next("cordon"),
    cheapen: next("lower-cost"),
    keep: next("raise-cost"),
    scale,
    removed,
    timedOut: removed.filter((name) => steps.get(name) === "time-out"),
    unknown: Math.min(more - drain.length, living.filter(({ state }) => state === "silent").length),
  };
}

/**
 * Whether a smaller scale might take others than the drained ones: the ReplicaSet controller ranks pods that are not ready before the
 * deletion cost, and cannot tell apart those that share the lowest.
 */
function othersGoFirst(living: readonly PodSeen[], done: readonly string[], { cheapest }: ResizeInput): boolean {
  return living.some(({ name, state, ready, drainingSince }) => {
    if (done.includes(name)) return false;
    if (cheapest.has(name)) return true;
    if (state !== "starting") return !ready;
    return drainingSince === undefined && startingOf(living, done) < done.length;
  });
}

/** Pods that start and are not being drained. They are the first that the ReplicaSet controller takes: they change places with those drained. */
const newborn = (living: readonly PodSeen[]): readonly PodSeen[] =>
  living.filter(({ state, drainingSince }) => state === "starting" && drainingSince === undefined);

/** Drained pods that work while others are idle, as when those became idle just after the choice: an idle one goes instead, and the other comes back. */
function exchanges(living: readonly PodSeen[], waiting: readonly string[]): number {
  const working = living.filter(({ state }) => state === "working");
  const busy = working.filter(({ name, unacked }) => waiting.includes(name) && (unacked ?? 0) > 0);
  const idle = working.filter(({ drainingSince, unacked }) => drainingSince === undefined && unacked === 0);
  return Math.min(busy.length, idle.length);
}

const startingOf = (living: readonly PodSeen[], names: readonly string[]): number =>
  living.filter(({ name, state }) => state === "starting" && names.includes(name)).length;

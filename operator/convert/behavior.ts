import { check, explain, type Meaning, mapOf, mapped, type Note, none, numberOf } from "./note.ts";

export interface Scaling {
  readonly maxStep?: number;
  readonly windowSeconds?: number;
}

export interface ConvertedBehavior {
  readonly scaleUp: Scaling | undefined;
  readonly scaleDown: Scaling | undefined;
  /** `selectPolicy: Disabled`: the pause that is the same. */
  readonly paused: "up" | "down" | "all" | undefined;
  readonly notes: readonly Note[];
}

/** `advanced.horizontalPodAutoscalerConfig.behavior`: windows and the steps in pods have an equivalent, percentages have none. */
export function readBehavior(behavior: Readonly<Record<string, unknown>>, at: string): ConvertedBehavior {
  const [up, down] = (["scaleUp", "scaleDown"] as const).map((side) => readSide(mapOf(behavior[side]), `${at}.${side}`, side));
  const others = explain(at, behavior, { scaleUp: () => mapped(""), scaleDown: () => mapped("") });
  return {
    scaleUp: up?.scaling,
    scaleDown: down?.scaling,
    paused: up?.disabled && down?.disabled ? "all" : up?.disabled ? "up" : down?.disabled ? "down" : undefined,
    notes: [...others, ...(up?.notes ?? []), ...(down?.notes ?? [])],
  };
}

function readSide(side: Readonly<Record<string, unknown>>, at: string, name: "scaleUp" | "scaleDown") {
  const window = numberOf(side["stabilizationWindowSeconds"]);
  const policies = Array.isArray(side["policies"]) ? side["policies"].map(mapOf) : [];
  const pods = policies.filter(({ type }) => type === "Pods").map(({ value }) => numberOf(value) ?? Number.POSITIVE_INFINITY);
  const disabled = side["selectPolicy"] === "Disabled";
  // Max lets the most lenient policy win, and that is a percentage wherever there is one.
  const strict = pods.length > 0 && (side["selectPolicy"] === "Min" || pods.length === policies.length);
  const maxStep = strict ? (side["selectPolicy"] === "Min" ? Math.min(...pods) : Math.max(...pods)) : undefined;
  const table: Readonly<Record<string, Meaning>> = {
    stabilizationWindowSeconds: () =>
      name === "scaleDown"
        ? check(
            "spec.autoscaling.scaleDown.windowSeconds; it was long because an HPA kills busy pods. Here only drained pods go: the default of 15 s is safe",
          )
        : mapped("spec.autoscaling.scaleUp.windowSeconds"),
    selectPolicy: (policy) =>
      policy === "Disabled"
        ? check(`annotation longshore.dev/paused: ${name === "scaleUp" ? "up" : "down"}`)
        : strict
          ? mapped(`spec.autoscaling.${name}.maxStep`)
          : none("one limit in replicas is all there is"),
    policies: () =>
      strict
        ? check(
            `spec.autoscaling.${name}.maxStep: that many ${name === "scaleUp" ? "starting" : "draining"} at once, whatever periodSeconds is`,
          )
        : none(
            `percentages have no equivalent: sizes are reached in one step. Set spec.autoscaling.${name}.maxStep if a step must be limited`,
          ),
    tolerance: () => none("a threshold is exact; a wait objective has a band of its own in which a size stays"),
  };
  const scaling = { ...(maxStep !== undefined && { maxStep }), ...(window !== undefined && { windowSeconds: window }) };
  return { scaling: Object.keys(scaling).length > 0 ? scaling : undefined, disabled, notes: explain(at, side, table) };
}

import { mapped, type Note, none } from "./note.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Those of KEDA's annotations that are a pause. */
const ANNOTATIONS: Readonly<Record<string, (value: string) => Readonly<Record<string, string>> | undefined>> = {
  "autoscaling.keda.sh/paused": (value) => (value === "false" ? {} : { "longshore.dev/paused": "all" }),
  "autoscaling.keda.sh/paused-scale-in": (value) => (value === "false" ? {} : { "longshore.dev/paused": "down" }),
  "autoscaling.keda.sh/paused-scale-down": (value) => (value === "false" ? {} : { "longshore.dev/paused": "down" }),
  "autoscaling.keda.sh/paused-scale-out": (value) => (value === "false" ? {} : { "longshore.dev/paused": "up" }),
};

/** What to do instead of the others. */
const NO_ANNOTATIONS: Readonly<Record<string, (value: string) => string>> = {
  "autoscaling.keda.sh/paused-replicas": (value) => `set minReplicas and maxReplicas to ${value} for as long as the pool shall stay there`,
  "autoscaling.keda.sh/force-activation": () => "kubectl scale workerpool/<name> --replicas=1 sets a floor by hand; 0 takes it away",
};

/** The annotations of ours that KEDA's on a ScaledObject come to. */
export function annotationsOf(annotations: Fields): { readonly ours: Readonly<Record<string, string>>; readonly notes: readonly Note[] } {
  let ours: Readonly<Record<string, string>> = {};
  const notes: Note[] = [];
  for (const [name, value] of Object.entries(annotations)) {
    if (!/(^|\.)keda\.sh\//.test(name)) continue;
    const field = `metadata.annotations[${JSON.stringify(name)}]`;
    const words = Object.hasOwn(NO_ANNOTATIONS, name) ? NO_ANNOTATIONS[name] : undefined;
    const converted = Object.hasOwn(ANNOTATIONS, name) ? ANNOTATIONS[name]?.(String(value)) : undefined;
    ours = { ...ours, ...converted };
    notes.push({
      field,
      ...(converted === undefined
        ? none(words?.(String(value)) ?? "this annotation has no equivalent")
        : mapped("annotation longshore.dev/paused")),
    });
  }
  return { ours, notes };
}

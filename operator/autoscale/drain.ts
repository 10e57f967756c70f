import { DRAINING_ANNOTATION, nodeName } from "../../worker/contract/names.ts";
import type { KubePort, RemoteControlPort, Resource } from "../adapters/ports.ts";
import { rfc3339 } from "../runtime/conditions.ts";
import { isKubeError } from "../runtime/kube-error.ts";
import { DELETION_COST_ANNOTATION, LOWEST_COST } from "./pod-readings.ts";

const PODS: Resource = { group: "", version: "v1", plural: "pods", kind: "Pod" };
/** A worker that hears us answers within milliseconds. */
const ANSWER_WITHIN_MS = 1_000;

/** What this process remembers of a pod that it drains; the rest stands on the pod. Times of the monotonic clock. */
export interface Cordon {
  askedAt: number;
  cordonedAt: number | undefined;
}

export interface Drainer {
  /** Marks the pod, so that a restarted operator goes on. */
  mark(pod: string): Promise<void>;
  /** Cancels every consumer of these pods; those that confirm all are cordoned. */
  cordon(pods: readonly string[]): Promise<void>;
  /** Makes the pod the first that the ReplicaSet controller takes. */
  cheapen(pod: string): Promise<void>;
  /** Takes that back. */
  keep(pod: string): Promise<void>;
  /**
   * Lets these pods consume again and takes the marks away. A pod that does not confirm keeps its mark, to be asked again;
   * those in `starting` have not begun to consume and are not asked.
   */
  pardon(pods: readonly string[], starting: ReadonlySet<string>): Promise<void>;
  cordonOf(pod: string): Cordon | undefined;
  /** Forgets pods that are gone. */
  forget(living: ReadonlySet<string>): void;
}

export interface DrainerOptions {
  readonly kube: Pick<KubePort, "patch">;
  readonly namespace: string;
  readonly queues: () => readonly string[];
  /** undefined: the workers cannot be asked. */
  readonly control: () => RemoteControlPort | undefined;
  /** Monotonic, ms. */
  readonly elapsed: () => number;
  /** Wall clock, ms. */
  readonly now: () => number;
}

/** Carries out the steps of a drain on the pods of one pool. Never lowers the scale. Throws `KubeError` or `BrokerError`; doing a step again is safe. */
export function createDrainer({ kube, namespace, queues, control, elapsed, now }: DrainerOptions): Drainer {
  const cordons = new Map<string, Cordon>();

  const annotate = async (pod: string, annotations: Readonly<Record<string, string | null>>): Promise<void> => {
    try {
      await kube.patch(PODS, namespace, pod, { metadata: { annotations } });
    } catch (error) {
      // It is gone already: nothing is left to be marked.
      if (!isKubeError(error, 404)) throw error;
    }
  };

  /** The pods that confirmed the method for every queue. */
  const confirmed = async (method: string, pods: readonly string[]): Promise<readonly string[]> => {
    const port = control();
    if (port === undefined || pods.length === 0) return [];
    const nodes = pods.map(nodeName);
    const answers = await Promise.all(queues().map((queue) => port.ask(method, { queue }, nodes, ANSWER_WITHIN_MS)));
    return pods.filter((pod) => answers.every((answer) => isOk(answer.get(nodeName(pod)))));
  };

  return {
    mark: (pod) => annotate(pod, { [DRAINING_ANNOTATION]: rfc3339(now()) }),
    cheapen: (pod) => annotate(pod, { [DELETION_COST_ANNOTATION]: LOWEST_COST }),
    keep: (pod) => annotate(pod, { [DELETION_COST_ANNOTATION]: null }),
    async cordon(pods) {
      for (const pod of pods) cordons.set(pod, { askedAt: elapsed(), cordonedAt: undefined });
      for (const pod of await confirmed("cancel_consumer", pods)) {
        const cordon = cordons.get(pod);
        // Pardoned while it was asked: the pardon is the later word.
        if (cordon !== undefined) cordon.cordonedAt = elapsed();
      }
    },
    async pardon(pods, starting) {
      for (const pod of pods) cordons.delete(pod);
      const asked = control() === undefined ? [] : pods.filter((pod) => !starting.has(pod));
      const back = new Set(await confirmed("add_consumer", asked));
      const free = pods.filter((pod) => back.has(pod) || !asked.includes(pod));
      await Promise.all(free.map((pod) => annotate(pod, { [DRAINING_ANNOTATION]: null, [DELETION_COST_ANNOTATION]: null })));
    },
    cordonOf: (pod) => cordons.get(pod),
    forget(living) {
      for (const pod of cordons.keys()) if (!living.has(pod)) cordons.delete(pod);
    },
  };
}

/** Celery answers a command with `{"ok": …}` or `{"error": …}`. */
const isOk = (answer: unknown): boolean => typeof answer === "object" && answer !== null && "ok" in answer;

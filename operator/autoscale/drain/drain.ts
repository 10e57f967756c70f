import { DRAINING_ANNOTATION, nodeName } from "../../../worker/contract/names.ts";
import type { KubePort, RemoteControlPort, Resource } from "../../adapters/ports.ts";
import { isKubeError } from "../../runtime/kube-error.ts";
import { rfc3339 } from "../../runtime/truth/conditions.ts";
import { DELETION_COST_ANNOTATION, LOWEST_COST } from "../sense/pod-readings.ts";
import { ASK_AGAIN_MS } from "./drain-plan.ts";

const PODS: Resource = { group: "", version: "v1", plural: "pods", kind: "Pod" };
/** A worker that hears us answers within milliseconds, on a crowded node within seconds. */
const ANSWER_WITHIN_MS = 4_000;

/** What this process remembers of a pod that it drains; the rest stands on the pod. Times of the monotonic clock. */
export interface Cordon {
  readonly askedAt: number;
  cordonedAt: number | undefined;
  /** When it was asked first to consume again; undefined while it is to be cordoned. */
  readonly pardonedAt: number | undefined;
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
  /** Of these, the ones that are not being asked to consume again at this moment. */
  unasked(pods: readonly string[]): readonly string[];
  /**
   * Lets these pods consume again and takes the marks away. A pod that does not confirm keeps its mark, to be asked again;
   * those that are known to `consume`, or have not begun to, are not asked.
   */
  pardon(pods: readonly string[], consume: ReadonlySet<string>): Promise<void>;
  cordonOf(pod: string): Cordon | undefined;
  /** Forgets pods that are gone. */
  forget(living: ReadonlySet<string>): void;
}

export interface DrainerOptions {
  readonly kube: Pick<KubePort, "patch">;
  readonly namespace: string;
  readonly queues: () => readonly string[];
  /** Whether the workers know remote control; the consumers of others are never cancelled. */
  readonly cooperates: () => boolean;
  /** undefined: there is no connection, and the workers cannot be asked now. */
  readonly control: () => RemoteControlPort | undefined;
  /** Monotonic, ms. */
  readonly elapsed: () => number;
  /** Wall clock, ms. */
  readonly now: () => number;
}

/** Carries out the steps of a drain on the pods of one pool. Never lowers the scale. Throws `KubeError` or `BrokerError`; doing a step again is safe. */
export function createDrainer({ kube, namespace, queues, cooperates, control, elapsed, now }: DrainerOptions): Drainer {
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

  const mark = (pod: string) => annotate(pod, { [DRAINING_ANNOTATION]: rfc3339(now()) });

  return {
    mark,
    cheapen: (pod) => annotate(pod, { [DELETION_COST_ANNOTATION]: LOWEST_COST }),
    keep: (pod) => annotate(pod, { [DELETION_COST_ANNOTATION]: null }),
    async cordon(pods) {
      const asked = new Map(
        pods.map((pod): [string, Cordon] => [pod, { askedAt: elapsed(), cordonedAt: undefined, pardonedAt: undefined }]),
      );
      for (const [pod, cordon] of asked) cordons.set(pod, cordon);
      for (const pod of await confirmed("cancel_consumer", pods)) {
        const cordon = asked.get(pod);
        // Pardoned while it was asked: the pardon is the later word, and this cordon is no longer the pod's.
        if (cordon !== undefined) cordon.cordonedAt = elapsed();
      }
    },
    unasked: (pods) =>
      pods.filter((pod) => {
        const { pardonedAt, askedAt } = cordons.get(pod) ?? {};
        return pardonedAt === undefined || askedAt === undefined || elapsed() - askedAt >= ASK_AGAIN_MS;
      }),
    async pardon(pods, consume) {
      // Without a mark nobody would ask them later.
      if (cooperates() && control() === undefined) return;
      const calls = new Map(
        pods.map((pod): [string, Cordon] => {
          const pardonedAt = cordons.get(pod)?.pardonedAt ?? elapsed();
          return [pod, { askedAt: elapsed(), cordonedAt: undefined, pardonedAt }];
        }),
      );
      for (const [pod, call] of calls) cordons.set(pod, call);
      const asked = cooperates() ? pods.filter((pod) => !consume.has(pod)) : [];
      const back = new Set(await confirmed("add_consumer", asked));
      // Cordoned anew while it was asked: the cordon is the later word.
      const free = pods.filter((pod) => (back.has(pod) || !asked.includes(pod)) && cordons.get(pod) === calls.get(pod));
      await Promise.all(free.map((pod) => annotate(pod, { [DRAINING_ANNOTATION]: null, [DELETION_COST_ANNOTATION]: null })));
      // Cordoned anew while the marks were taken away: they went from a pod that is drained.
      await Promise.all(free.filter((pod) => cordons.get(pod) !== calls.get(pod) && cordons.has(pod)).map(mark));
      for (const pod of free) if (cordons.get(pod) === calls.get(pod)) cordons.delete(pod);
    },
    cordonOf: (pod) => cordons.get(pod),
    forget(living) {
      for (const pod of cordons.keys()) if (!living.has(pod)) cordons.delete(pod);
    },
  };
}

/** Celery answers a command with `{"ok": …}` or `{"error": …}`. */
const isOk = (answer: unknown): boolean => typeof answer === "object" && answer !== null && "ok" in answer;

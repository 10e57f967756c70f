import type { KubePort, Resource } from "../../adapters/ports.ts";
import type { Clock } from "../clock.ts";
import { isKubeError } from "../kube-error.ts";
import { errorFields, type Log } from "../log.ts";
import type { KubeObject } from "../object.ts";
import { withoutLogin } from "../redact.ts";
import { eventType, type Reason } from "./reasons.ts";

const EVENTS: Resource = { group: "events.k8s.io", version: "v1", plural: "events", kind: "Event" };
const REPORTER = "longshore.dev/operator";

/** Limits of events.k8s.io/v1: note 1 kB, action and reason 128 characters. */
const MAX_NOTE_BYTES = 1_024;
/** A repeat within this time is counted in the first event; later it is an event of its own. As client-go does. */
const SERIES_MS = 360_000;
/** A series is written at most this often. */
const FLUSH_MS = 10_000;

export interface EventInput {
  readonly regarding: KubeObject;
  readonly reason: Reason;
  /** What was done or tried, as one CamelCase word: `Scale`, `Declare`. */
  readonly action: string;
  /** For people. Cut at 1 kB. */
  readonly note: string;
}

/** Tells users what happened, with `kubectl describe` and `kubectl events`. Say transitions only, never states. */
export interface EventRecorder extends AsyncDisposable {
  /** Never throws and never waits: an event that cannot be written is logged and lost. */
  record(event: EventInput): void;
}

interface Series {
  readonly name: string;
  readonly namespace: string;
  /** Whether the event that the series belongs to was written. */
  readonly created: Promise<boolean>;
  count: number;
  lastAt: number;
  timer?: Disposable;
}

export interface EventRecorderOptions {
  readonly kube: Pick<KubePort, "create" | "patch">;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this process: the pod's. */
  readonly instance: string;
}

export function createEventRecorder({ kube, clock, log, instance }: EventRecorderOptions): EventRecorder {
  const recent = new Map<string, Series>();
  const pending = new Set<Promise<boolean>>();
  let sequence = 0;

  /** Whether it was written. Never rejects. */
  const send = (what: Promise<unknown>): Promise<boolean> => {
    const sent: Promise<boolean> = what
      .then(
        () => true,
        (error: unknown) => {
          // A namespace that is being deleted takes nothing new: nobody will read it there.
          const ending = isKubeError(error, 403) && error.message.includes("being terminated");
          log[ending ? "debug" : "warn"](errorFields(error), "cannot write event");
          return false;
        },
      )
      .finally(() => pending.delete(sent));
    pending.add(sent);
    return sent;
  };

  const flush = (series: Series): void => {
    delete series.timer;
    const body = { series: { count: series.count, lastObservedTime: microTime(series.lastAt) } };
    // Two requests on two connections have no order: the event must be there first.
    void send(series.created.then((created) => (created ? kube.patch(EVENTS, series.namespace, series.name, body) : undefined)));
  };

  const forgetOld = (): void => {
    for (const [key, { lastAt }] of recent) if (clock.now() - lastAt > SERIES_MS) recent.delete(key);
  };

  return {
    record({ regarding, reason, action, note }) {
      forgetOld();
      const { apiVersion, kind, metadata } = regarding;
      const key = JSON.stringify([metadata.uid, kind, metadata.namespace, metadata.name, reason, action, note]);
      const now = clock.now();
      const known = recent.get(key);
      if (known !== undefined) {
        known.count++;
        known.lastAt = now;
        known.timer ??= clock.after(FLUSH_MS, () => flush(known));
        return;
      }
      const namespace = metadata.namespace ?? "default";
      // Milliseconds may collide, the counter of this process does not; names are cut so that the whole stays below 253.
      const name = `${metadata.name.slice(0, 200)}.${now.toString(16)}${(sequence++).toString(16).padStart(4, "0")}`;
      const { uid, resourceVersion } = metadata;
      const event = {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { name, namespace },
        eventTime: microTime(now),
        reportingController: REPORTER,
        reportingInstance: instance.slice(0, 128),
        action,
        reason,
        type: eventType(reason),
        note: cut(withoutLogin(note)),
        regarding: { apiVersion, kind, name: metadata.name, namespace: metadata.namespace, uid, resourceVersion },
      };
      recent.set(key, { name, namespace, count: 1, lastAt: now, created: send(kube.create(EVENTS, event)) });
    },
    async [Symbol.asyncDispose]() {
      for (const series of recent.values()) {
        if (series.timer === undefined) continue;
        series.timer[Symbol.dispose]();
        flush(series);
      }
      await Promise.all(pending);
    },
  };
}

/** `metav1.MicroTime`. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");

function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  // Never in the middle of a character: a replacement character at the end would be one that was cut.
  return `${bytes
    .subarray(0, MAX_NOTE_BYTES - 3)
    .toString()
    .replace(/\ufffd$/, "")}…`;
}

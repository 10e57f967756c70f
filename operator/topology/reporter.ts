import type { Resource } from "../adapters/ports.ts";
import { queueFigures } from "../kinds/queue/figures.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import { findCondition } from "../runtime/truth/conditions.ts";
import type { EventRecorder } from "../runtime/truth/events.ts";
import { eventType, REASONS } from "../runtime/truth/reasons.ts";
import type { StatusFields, StatusWriter, WithStatus } from "../runtime/truth/status.ts";

/** A reason that is expected to pass by itself becomes an event only when it lasts this long, ms: objects are applied in any order. */
const PATIENCE_MS = 3_000;
/** For so long after a write the cache may still show what was there before it, ms. */
const CACHE_LAG_MS = 1_000;

export interface Reporter {
  /**
   * Writes what is said into the object's status, when that changes it, and a Warning event when the reason is new and bad.
   * Never throws: what could not be written is written with the next report. Resolves after how many ms it should be said again, if at all.
   */
  report(resource: Resource, object: WithStatus, condition: ConditionInput, fields?: StatusFields): Promise<number | undefined>;
  /** Whether the object's status shows what was said last, so that saying it again would change nothing. */
  stands(object: WithStatus): boolean;
  /** Whether it was said to be Ready; of what nothing was said yet, whether its status does. */
  saidReady(object: WithStatus): boolean;
  /**
   * What the broker counts of it: stays in the status beside what is said, until it is counted anew. Never throws, and writes nothing before something
   * was said of the object as it is now. Resolves whether it wrote.
   */
  count(resource: Resource, object: WithStatus, figures: StatusFields): Promise<boolean>;
  forget(uid: string): void;
}

/** Fields of the status that are counted. */
const FIGURES = Object.keys(queueFigures);

interface Said {
  readonly generation: number | undefined;
  readonly condition: ConditionInput;
  readonly fields: StatusFields;
  /** Whether it stands in the status, as far as we know. */
  readonly written: boolean;
  readonly since: number;
  readonly writtenAt: number;
  told: boolean;
}

export interface ReporterOptions {
  readonly status: StatusWriter;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
}

export function createReporter({ status, events, clock, log }: ReporterOptions): Reporter {
  const last = new Map<string, Said>();
  const counted = new Map<string, StatusFields>();

  const reporter: Reporter = {
    async report(resource, object, condition, given = {}) {
      const { uid = "", name, namespace, generation } = object.metadata;
      const fields = { ...given, ...(counted.get(uid) ?? standingFigures(object)) };
      const { reason, message } = condition;
      const before = last.get(uid);
      const fresh = before?.condition.reason !== reason;
      // What stands in the status already, of before a restart, was told then.
      const standing = before === undefined && findCondition(object.status?.conditions, "Ready")?.reason === reason;
      const now = clock.elapsed();
      const shown = findCondition(object.status?.conditions, "Ready");
      const stands = shown?.reason === reason && shown.status === condition.status && shown.observedGeneration === generation;
      const lagging = now - (before?.writtenAt ?? Number.NEGATIVE_INFINITY) < CACHE_LAG_MS;
      const same = before?.written === true && textOf(before) === textOf({ generation, condition, fields });
      const write = !same || (!stands && !lagging);
      const said: Said = {
        generation,
        condition,
        fields,
        written: true,
        since: fresh ? now : before.since,
        writtenAt: write ? now : before.writtenAt,
        told: fresh ? standing : before.told,
      };
      last.set(uid, said);
      if (write) {
        try {
          const wrote = await status.write(resource, object, { conditions: [condition], fields });
          const where = { kind: resource.kind, name, namespace, reason };
          // Thousands that become Ready at a start are no news: each says so itself.
          const level = condition.status !== "True" ? "warn" : before === undefined ? "debug" : "info";
          if (wrote && fresh) log[level]({ ...where, detail: message }, "condition Ready changed");
        } catch (error) {
          last.set(uid, { ...said, written: false });
          log.warn({ kind: resource.kind, name, namespace, ...errorFields(error) }, "cannot write status, trying again");
          return CACHE_LAG_MS;
        }
      } else if (!stands) return CACHE_LAG_MS;
      if (said.told || eventType(reason) === "Normal") return undefined;
      const wait = REASONS[reason].retry === "stalled" ? 0 : said.since + PATIENCE_MS - clock.elapsed();
      if (wait > 0) return wait;
      said.told = true;
      events.record({ regarding: object, reason, action: "Declare", note: message });
      return undefined;
    },
    stands({ metadata: { uid = "", generation }, status: shown }) {
      const said = last.get(uid);
      const ready = findCondition(shown?.conditions, "Ready");
      if (said?.written !== true || ready?.observedGeneration !== generation) return false;
      return ready?.reason === said.condition.reason && ready.status === said.condition.status;
    },
    saidReady: ({ metadata: { uid = "" }, status: shown }) =>
      (last.get(uid)?.condition.status ?? findCondition(shown?.conditions, "Ready")?.status) === "True",
    async count(resource, object, figures) {
      const { uid = "", generation } = object.metadata;
      counted.set(uid, figures);
      const before = last.get(uid);
      if (before?.written !== true || before.generation !== generation) return false;
      await reporter.report(resource, object, before.condition, before.fields);
      const after = last.get(uid);
      return after?.written !== true || textOf(after) !== textOf(before);
    },
    forget(uid) {
      last.delete(uid);
      counted.delete(uid);
    },
  };
  return reporter;
}

/** As JSON has it: what is undefined is not there. */
const textOf = ({ generation, condition, fields }: Pick<Said, "generation" | "condition" | "fields">): string =>
  JSON.stringify([generation, condition, fields]);

/** What was counted before a restart stays until it is counted anew. */
const standingFigures = ({ status = {} }: WithStatus): StatusFields =>
  Object.fromEntries(FIGURES.flatMap((key) => (key in status ? [[key, (status as StatusFields)[key]]] : [])));

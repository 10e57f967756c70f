import type { KubeObject } from "../object.ts";
import type { EventRecorder } from "./events.ts";
import type { Verdict } from "./outcome.ts";
import { eventType, REASONS, type Reason } from "./reasons.ts";

/** Makes events of what reconciles come to. */
export interface Transitions {
  /**
   * Say every verdict. A Warning event is recorded once per row of the same reason: at once when only the user can help, else with the second
   * in a row, because objects are applied in any order and what is missing now may come in a moment. What ends a row that was told is told too.
   */
  say(object: KubeObject, condition: Verdict["condition"]): void;
  forget(uid: string): void;
}

/** @param action what was tried, for `kubectl describe`: `Probe`, `Reconcile` */
export function createTransitions(events: Pick<EventRecorder, "record">, action: string): Transitions {
  const rows = new Map<string, { readonly reason: Reason; readonly told: boolean }>();
  return {
    say(object, condition) {
      if (condition === undefined) return;
      const { reason, message } = condition;
      const uid = object.metadata.uid ?? "";
      const before = rows.get(uid);
      const bad = eventType(reason) === "Warning";
      const same = before?.reason === reason;
      const tellBad = bad && !(same && before.told) && (same || REASONS[reason].retry === "stalled");
      const tellGood = !bad && !same && before?.told === true && eventType(before.reason) === "Warning";
      rows.set(uid, { reason, told: tellBad || (same && before.told) });
      if (tellBad || tellGood)
        events.record({ regarding: object, reason, action, note: message === "" ? REASONS[reason].advice : message });
    },
    forget: (uid) => void rows.delete(uid),
  };
}

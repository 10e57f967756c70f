import type { Clock, Delivery } from "../ports.ts";
import type { HeldTask } from "../protocol/control/control-snapshot.ts";
import type { TaskMessage } from "../protocol/task-message.ts";

/** More are not remembered: they wait in the broker, and this list is only for people who ask. */
const MAX = 1_000;
/** A body is a slice of all that came with it, which would stay with it: 64 KB for each task that is remembered. */
const NO_BODY = new Uint8Array();

/** Tasks that this worker took, and sent back to the broker until their time. */
export interface Scheduled {
  add(task: TaskMessage, delivery: Delivery): void;
  /** It came back, or is revoked. */
  drop(id: string): void;
  /** Those whose time has not come. */
  readonly tasks: readonly HeldTask[];
}

/** Remembers the newest for `inspect scheduled`. Holds nothing that a task needs: any worker may get it when its time comes. */
export function newScheduled(clock: Pick<Clock, "now">): Scheduled {
  const known = new Map<string, HeldTask>();
  return {
    add(task, { exchange, routingKey, redelivered }) {
      known.delete(task.id);
      known.set(task.id, { task: { ...task, body: NO_BODY }, exchange, routingKey, redelivered, acknowledged: false });
      for (const id of known.keys()) {
        if (known.size <= MAX) break;
        known.delete(id);
      }
    },
    drop: (id) => void known.delete(id),
    get tasks() {
      const now = clock.now();
      for (const [id, { task }] of known) if ((task.eta?.getTime() ?? 0) <= now) known.delete(id);
      return [...known.values()];
    },
  };
}

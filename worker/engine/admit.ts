import type { TaskMessage } from "../protocol/task-message.ts";

export type Admission =
  | { readonly kind: "run" }
  | { readonly kind: "revoked"; readonly reason: "revoked" | "expired" }
  | { readonly kind: "wait"; readonly ms: number };

/** An ETA nearer than this is waited for nowhere: the trip to the broker and back takes as long, ms. */
const SOON_MS = 20;

/** Whether a task may start now: revoked and expired ones never, one with an ETA goes back to the broker for that long. */
export function admit(task: TaskMessage, now: number, isRevoked: (task: TaskMessage) => boolean): Admission {
  if (isRevoked(task)) return { kind: "revoked", reason: "revoked" };
  if (task.expires !== undefined && task.expires.getTime() <= now) return { kind: "revoked", reason: "expired" };
  const early = task.eta === undefined ? 0 : task.eta.getTime() - now;
  return early > SOON_MS ? { kind: "wait", ms: early } : { kind: "run" };
}

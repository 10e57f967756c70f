import type { CanvasPlan } from "../protocol/canvas/canvas-plan.ts";
import type { Signature } from "../protocol/canvas/signature.ts";
import type { PyException } from "../protocol/exception.ts";
import type { NextCall } from "../tasks/next-call.ts";

/** How one attempt at a task ended. */
export type Outcome =
  /** `sent`: what the task asked to send when it succeeds. */
  | { readonly kind: "success"; readonly value: unknown; readonly sent?: readonly CanvasPlan[] }
  /** Another signature takes its place. */
  | { readonly kind: "replace"; readonly signature: Signature; readonly sent?: readonly CanvasPlan[] }
  | { readonly kind: "failure"; readonly error: PyException; readonly traceback?: string }
  | { readonly kind: "retry"; readonly delayMs: number; readonly error: PyException; readonly traceback?: string; readonly call?: NextCall }
  | { readonly kind: "reject"; readonly requeue: boolean; readonly reason: string }
  | { readonly kind: "ignore" }
  | { readonly kind: "revoked"; readonly reason: "revoked" | "expired" | "terminated" }
  /** The lease went to another worker, which will answer. */
  | { readonly kind: "lost" };

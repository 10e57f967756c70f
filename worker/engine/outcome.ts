import type { PyException } from "../protocol/exception.ts";

/** How one attempt at a task ended. */
export type Outcome =
  | { readonly kind: "success"; readonly value: unknown }
  | { readonly kind: "failure"; readonly error: PyException; readonly traceback?: string }
  | { readonly kind: "retry"; readonly delayMs: number; readonly error: PyException; readonly traceback?: string }
  | { readonly kind: "reject"; readonly requeue: boolean; readonly reason: string }
  | { readonly kind: "ignore" }
  | { readonly kind: "revoked"; readonly reason: "revoked" | "expired" | "terminated" }
  /** The lease went to another worker, which will answer. */
  | { readonly kind: "lost" };

import { isKubeError } from "../kube-error.ts";
import { withoutLogin } from "../redact.ts";
import { REASONS, type Reason } from "./reasons.ts";

/** How a reconcile ended well. */
export type Outcome =
  | { readonly type: "done"; readonly reason?: Reason; readonly message?: string }
  | { readonly type: "requeue"; readonly afterMs: number; readonly reason?: Reason; readonly message?: string };

/** Nothing more to do until something changes. */
export const done: Outcome = { type: "done" };

/** Look again after `ms`. */
export const requeueAfter = (ms: number): Outcome => ({ type: "requeue", afterMs: ms });

/** Something else must happen first, and it is expected to: look again soon, without counting it as a failure. */
export class Waiting extends Error {
  override readonly name = "Waiting";
  readonly reason: Reason;
  readonly retryAfterMs: number;

  /** @param options.retryAfterMs default 5,000 */
  constructor(reason: Reason, message: string, options: { readonly retryAfterMs?: number; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs ?? 5_000;
  }
}

/** Only a change by the user can help: do not try again until the object, or what it refers to, changes. */
export class Stalled extends Error {
  override readonly name = "Stalled";
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
  }
}

/** What to say in `Ready`, and when to look again. Without a condition nothing is said: it is no state of the object. */
export interface Verdict {
  readonly condition?: { readonly status: "True" | "False" | "Unknown"; readonly reason: Reason; readonly message: string };
  readonly requeue: "none" | "backoff" | { readonly afterMs: number };
}

/**
 * The policy for every way in which a reconcile can end: the error's type decides. Never throws.
 * A conflict of versions says nothing to the user: the next try reads the newer object. Any other foreign error is `Failed`, with backoff.
 */
export function verdictOf(result: { readonly outcome: Outcome } | { readonly error: unknown }): Verdict {
  if ("outcome" in result) {
    const { outcome } = result;
    const condition = { status: "True", reason: outcome.reason ?? "Ready", message: outcome.message ?? "" } as const;
    return { condition, requeue: outcome.type === "requeue" ? { afterMs: outcome.afterMs } : "none" };
  }
  const { error } = result;
  if (error instanceof Waiting) return { condition: refusal(error.reason, error.message), requeue: { afterMs: error.retryAfterMs } };
  if (error instanceof Stalled) return { condition: refusal(error.reason, error.message), requeue: "none" };
  if (isKubeError(error, 409)) return { requeue: "backoff" };
  const message = error instanceof Error ? error.message : String(error);
  return { condition: refusal("Failed", message), requeue: "backoff" };
}

/** What happened, then what to do about it. Foreign messages may carry a URL with its login. */
const refusal = (reason: Reason, message: string) =>
  ({ status: "False", reason, message: `${withoutLogin(message)}. ${REASONS[reason].advice}` }) as const;

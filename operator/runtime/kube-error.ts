/** What went wrong at the Kubernetes API. The adapter converts every failure to this once. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  /** HTTP status; 0 when no answer came: refused, reset, or past the deadline. */
  readonly status: number;
  /** The server's reason, as `NotFound`, `Conflict`, `Expired`; "Unreachable" when no answer came. */
  readonly reason: string;
  readonly retryAfterMs?: number;

  constructor(status: number, reason: string, message: string, options?: { readonly retryAfterMs?: number; readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.reason = reason;
    if (options?.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether an error is the API's answer with one of these statuses. */
export const isKubeError = (error: unknown, ...statuses: readonly number[]): error is KubeError =>
  error instanceof KubeError && (statuses.length === 0 || statuses.includes(error.status));

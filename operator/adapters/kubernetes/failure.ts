import * as z from "zod";
import { KubeError } from "../../runtime/kube-error.ts";

/** `metav1.Status`: the API's answer to what it will not do, and the object of a watch's ERROR event. */
const statusSchema = z.object({
  kind: z.literal("Status"),
  code: z.number().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  details: z
    .object({ retryAfterSeconds: z.number().optional(), causes: z.array(z.object({ field: z.string().optional() })).optional() })
    .optional(),
});

/** Reasons where the answer is no `Status`: proxies and the API server's own filters answer in plain text. */
const REASONS: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  410: "Expired",
  429: "TooManyRequests",
};

/** The error for an answer that is no success. `body` is what came: a Status, plain text, or nothing. */
export function refused(httpStatus: number, body: unknown, retryAfter: string | undefined, what: string): KubeError {
  const parsed = statusSchema.safeParse(body);
  const status = parsed.success ? parsed.data : undefined;
  const causes = status?.details?.causes ?? [];
  // Another object has the name now. The server calls that a conflict or an invalid field, as it comes; to us it is one thing.
  const otherUid = status?.code === 422 && causes.length > 0 && causes.every(({ field }) => field === "metadata.uid");
  const code = otherUid ? 409 : (status?.code ?? httpStatus);
  const seconds = retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) : status?.details?.retryAfterSeconds;
  const text = typeof body === "string" && body.trim() !== "" ? body.trim().slice(0, 500) : `HTTP ${code}`;
  const reason = otherUid ? "Conflict" : (status?.reason ?? REASONS[code] ?? "Failed");
  return new KubeError(code, reason, `${what}: ${status?.message ?? text}`, seconds === undefined ? {} : { retryAfterMs: seconds * 1_000 });
}

/** The error for an answer that did not come. */
export function unanswered(cause: unknown, what: string): KubeError {
  if (cause instanceof KubeError) return cause;
  const message = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new KubeError(0, "Unreachable", `${what}: ${message}`, { cause });
}

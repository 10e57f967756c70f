import type { PyException } from "./exception.ts";
import type { Value } from "./json/value.ts";

/** Where Celery defines the exceptions that a worker itself stores. */
const MODULES = {
  NotRegistered: "celery.exceptions",
  TaskRevokedError: "celery.exceptions",
  InvalidTaskError: "celery.exceptions",
  MaxRetriesExceededError: "celery.exceptions",
  ChordError: "celery.exceptions",
  Retry: "celery.exceptions",
  Reject: "celery.exceptions",
  Ignore: "celery.exceptions",
  TimeLimitExceeded: "billiard.exceptions",
  SoftTimeLimitExceeded: "billiard.exceptions",
  WorkerLostError: "billiard.exceptions",
  Terminated: "billiard.exceptions",
  ContentDisallowed: "kombu.exceptions",
  DecodeError: "kombu.exceptions",
} as const;

export type CeleryErrorName = keyof typeof MODULES;

/**
 * An exception of Celery itself, for a result: `celeryError("NotRegistered", "media.cut")`. The arguments are those of the Python class:
 * TaskRevokedError "revoked" | "expired" | "terminated"; TimeLimitExceeded seconds; WorkerLostError a sentence.
 */
export function celeryError(name: CeleryErrorName, ...args: readonly Value[]): PyException {
  return { exc_type: name, exc_message: args, exc_module: MODULES[name] };
}

/** A task asks for what its message cannot become; Python sees Celery's exception of that name. */
export class ImproperlyConfigured extends Error {
  override readonly name = "ImproperlyConfigured";
  readonly pyClass = "celery.exceptions.ImproperlyConfigured";
}

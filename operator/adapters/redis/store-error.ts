import { errorFields } from "../../runtime/log.ts";

/** Why a store cannot be used, as a reason of the table says it. */
export type StoreFailure = "StoreUnreachable" | "StoreRefusedLogin";

/** Thrown by a `StorePort`. The message never contains a password. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly failure: StoreFailure;

  constructor(failure: StoreFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }

  /** Converts what ioredis throws. */
  static from(error: unknown): StoreError {
    if (error instanceof StoreError) return error;
    const message = errorFields(error).error;
    const refused = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH)/.test(message);
    return refused
      ? new StoreError("StoreRefusedLogin", `Redis refuses the login: ${message}`, { cause: error })
      : new StoreError("StoreUnreachable", `Redis cannot be reached: ${message}`, { cause: error });
  }
}

/** celery/states.py. Any other text is a state of the user's own, such as PROGRESS. */
export type State = "PENDING" | "RECEIVED" | "STARTED" | "SUCCESS" | "FAILURE" | "REVOKED" | "REJECTED" | "RETRY" | "IGNORED";

const READY: ReadonlySet<string> = new Set(["SUCCESS", "FAILURE", "REVOKED"]);
const EXCEPTION: ReadonlySet<string> = new Set(["RETRY", "FAILURE", "REVOKED"]);
/** From the strongest to the weakest; null stands for every state of the user's own. */
const PRECEDENCE: readonly (State | null)[] = [
  "SUCCESS",
  "FAILURE",
  null,
  "REVOKED",
  "STARTED",
  "RECEIVED",
  "REJECTED",
  "RETRY",
  "PENDING",
];

/** Whether the task has its final result. */
export const isReady = (state: string): boolean => READY.has(state);

/** Whether the result of this state is an exception. */
export const isException = (state: string): boolean => EXCEPTION.has(state);

/** 0 is the strongest: of two reports about one task, Celery believes the one with the smaller number. */
export function precedence(state: string): number {
  const at = PRECEDENCE.findIndex((known) => known === state);
  return at < 0 ? PRECEDENCE.indexOf(null) : at;
}

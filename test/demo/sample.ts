/** What the demo saw at one moment: the columns of `kubectl get workerpool`, and its own count of finished tasks. */
export interface Sample {
  /** Seconds since the first task was sent; negative before. */
  readonly at: number;
  readonly backlog: number;
  readonly desired: number;
  readonly ready: number;
  readonly draining: number;
  readonly busy: number;
  readonly done: number;
}

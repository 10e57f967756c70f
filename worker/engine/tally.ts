/** What a worker counts of itself. Counters only grow; `busy` and `unacked` go up and down. */
export interface Tally {
  busy: number;
  unacked: number;
  finished: number;
  failed: number;
  redelivered: number;
  busyMs: number;
  waitMs: number;
  waited: number;
  /** Deliveries by task name. */
  readonly total: Map<string, number>;
}

export const newTally = (): Tally => ({
  busy: 0,
  unacked: 0,
  finished: 0,
  failed: 0,
  redelivered: 0,
  busyMs: 0,
  waitMs: 0,
  waited: 0,
  total: new Map(),
});

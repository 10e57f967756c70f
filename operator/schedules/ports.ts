/** What schedules need of a broker and of a store. Failures are `BrokerError` and `StoreError`. */

/** One message, ready to be published. */
export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  readonly correlationId: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly priority: number;
  /** ms */
  readonly expiration?: number;
}

/** One connection to a broker that comes back by itself. */
export interface PublishPort extends AsyncDisposable {
  /** Resolves with whether the connection is up: as soon as it is, and after so many ms at the latest. Never rejects. */
  ready(withinMs: number): Promise<boolean>;
  /**
   * Resolves when the broker has confirmed the message. Rejects with `missing` when the exchange is not there or no queue takes it, `forbidden` when
   * the user may not publish, `unreachable` when the confirm was lost or did not come in time: the broker may have it or not. Never publishes twice.
   */
  publish(message: Publication): Promise<void>;
  /** Tells every worker to stop a task, or not to begin with it: Celery's `revoke` with `terminate`. Nobody answers. */
  revoke(taskId: string): Promise<void>;
}

/** A hash in Redis, by field. */
export type Hash = Readonly<Record<string, string>>;

export interface ClaimRequest {
  readonly uid: string;
  /** Refused when the record says otherwise; "" for a record that is not there. */
  readonly cursor: string;
}

/** `held`: nobody else publishes for this schedule until the claim ends. `busy`: somebody does, for so many ms at most. `moved`: read it anew. */
export type ClaimAnswer = { readonly held: string } | { readonly busy: number } | { readonly moved: true };

/** How a task stands by what its worker left in the store. */
export type RunState = { readonly state: string; readonly over: boolean } | undefined;

/** The records of what was published, one hash per schedule. */
export interface RecordPort extends AsyncDisposable {
  /** An empty hash where there is none. */
  read(uids: readonly string[]): Promise<readonly Hash[]>;
  claim(requests: readonly ClaimRequest[], owner: string, claimMs: number): Promise<readonly ClaimAnswer[]>;
  /** Writes the fields and ends the claim; false where somebody else has claimed since. Safe to repeat. */
  settle(entries: readonly { readonly uid: string; readonly fence: string; readonly fields: Hash }[]): Promise<readonly boolean[]>;
  forget(uid: string): Promise<void>;
  /** What is known of runs, by task id: undefined when nothing is. */
  runs(taskIds: readonly string[]): Promise<readonly RunState[]>;
}

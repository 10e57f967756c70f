import type { Value } from "../json/value.ts";
import type { TaskMessage } from "../task-message.ts";

/** A task that this worker holds, and where it stands. */
export interface HeldTask {
  readonly task: TaskMessage;
  readonly exchange: string;
  readonly routingKey: string;
  readonly redelivered: boolean;
  readonly acknowledged: boolean;
  /** Seconds since the epoch; absent until it runs. */
  readonly startedAt?: number;
  /** Process or thread that runs it. */
  readonly workerPid?: number;
}

export interface RegisteredTask {
  readonly name: string;
  /** `10/m`, as Celery writes it. */
  readonly rateLimit?: string;
  /** Other attributes that `inspect registered <attribute>` may ask for, by their Python names. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export interface ConsumedQueue {
  readonly name: string;
  readonly routingKey: string;
  readonly exchange: { readonly name: string; readonly type: string };
  readonly arguments?: Readonly<Record<string, Value>>;
}

/** All that remote control can ask about, as it is at this moment. The engine takes it; the answers are pure functions of it. */
export interface WorkerSnapshot {
  readonly hostname: string;
  readonly pid: number;
  readonly clock: number;
  readonly uptimeSeconds: number;
  readonly active: readonly HeldTask[];
  readonly reserved: readonly HeldTask[];
  /** What this worker put off until its time, the newest of it; it waits in the broker. */
  readonly scheduled: readonly HeldTask[];
  readonly revoked: readonly string[];
  readonly tasks: readonly RegisteredTask[];
  readonly queues: readonly ConsumedQueue[];
  /** How many tasks of each name were received since the start. */
  readonly totals: Readonly<Record<string, number>>;
  readonly eventsEnabled: boolean;
  readonly prefetch: number;
  readonly pool: { readonly implementation: string; readonly concurrency: number; readonly processes: readonly number[] };
  /** Without the password: it is shown to whoever asks. */
  readonly broker: {
    readonly hostname: string;
    readonly port: number;
    readonly userid: string;
    readonly virtualHost: string;
    readonly ssl: boolean;
  };
  /** What is wrong with the store; absent when nothing is. */
  readonly storeWarning?: string | undefined;
  /** `process.resourceUsage()`. */
  readonly usage: { readonly userCPUTime: number; readonly systemCPUTime: number; readonly maxRSS: number } & Readonly<
    Record<string, number>
  >;
  /** Settings by Celery's names, secrets already masked. */
  readonly conf: Readonly<Record<string, Value>>;
  /** Name and version, as `longshore 0.1.0`. */
  readonly software: string;
}

/** What the engine has to do after it answered. */
export type ControlAction =
  | { readonly do: "revoke"; readonly ids: readonly string[]; readonly terminate: boolean; readonly signal: string }
  | {
      readonly do: "revoke-stamped";
      readonly headers: Readonly<Record<string, readonly Value[]>>;
      readonly terminate: boolean;
      readonly signal: string;
    }
  | { readonly do: "merge-revoked"; readonly ids: readonly string[] }
  | { readonly do: "rate-limit"; readonly task: string; readonly perSecond: number; readonly text: string }
  | { readonly do: "time-limit"; readonly task: string; readonly soft?: number; readonly hard?: number }
  | {
      readonly do: "add-consumer";
      readonly queue: string;
      readonly exchange?: string;
      readonly exchangeType: string;
      readonly routingKey?: string;
    }
  | { readonly do: "cancel-consumer"; readonly queue: string }
  | { readonly do: "events"; readonly enabled: boolean }
  | { readonly do: "heartbeat" }
  | { readonly do: "grow"; readonly by: number }
  | { readonly do: "shutdown" };

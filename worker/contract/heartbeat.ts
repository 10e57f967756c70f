import * as z from "zod";

/** A worker beats this often, and at once on each change of `state` or when it becomes idle. */
export const HEARTBEAT_INTERVAL_MS = 500;

/** A beat whose `seq` has not moved for this long, on the reader's own clock, says nothing any more. */
export const HEARTBEAT_STALE_MS = 3_000;

/**
 * What one worker says of itself, whole, in every beat: a lost beat loses nothing.
 * Counters (`finished`, `failed`, `busyMs`, `waitMs`, `redelivered`) only grow within one `boot`; readers take differences.
 */
export const heartbeatSchema = z.object({
  v: z.literal(1),
  pod: z.string().meta({ description: "Pod name; outside Kubernetes the host name." }),
  boot: z.string().meta({ description: "Random per process: a new value means that the counters began anew." }),
  seq: z.int().meta({
    description:
      "Grows with every beat. Age is measured by the reader from when it saw a new value: clocks of two machines are never compared.",
  }),
  at: z.number().meta({ description: "The worker's clock, ms since the epoch. For people, not for decisions." }),
  state: z.enum(["starting", "running", "draining", "stopping"]).meta({
    description: "draining: consumers were cancelled by remote control and may come back; stopping: SIGTERM, final.",
  }),
  consuming: z.array(z.string()).meta({ description: "Queues with a live consumer. Empty while cordoned." }),
  slots: z.int().min(0),
  busy: z.int().min(0).meta({ description: "Slots that run a task now." }),
  unacked: z.int().min(0).meta({
    description: "Deliveries taken and not settled: running, waiting for a slot, or parked. 0 means that this worker can be removed.",
  }),
  finished: z.int().min(0),
  failed: z.int().min(0),
  redelivered: z.int().min(0).meta({ description: "Deliveries that carried the broker's redelivered flag." }),
  busyMs: z.number().min(0).meta({ description: "Sum of the run times of finished tasks, ms." }),
  waitMs: z
    .number()
    .min(0)
    .meta({ description: "Sum of the waits (publish to start) of started tasks that said when they were published, ms." }),
  waited: z.int().min(0).meta({ description: "How many tasks `waitMs` counts." }),
});
export type Heartbeat = z.output<typeof heartbeatSchema>;

import * as z from "zod";

/** How a pool's size follows its backlog. */
export const autoscalingSchema = z
  .strictObject({
    minReplicas: z.int().min(0).max(10_000).default(0).meta({ description: "Fewest replicas." }),
    maxReplicas: z.int().min(1).max(10_000).default(10).meta({ description: "Most replicas." }),
    backlogPerReplica: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .optional()
      .meta({ description: "The threshold: one replica per that many waiting or running tasks." }),
    waitSeconds: z.number().min(0.1).max(604_800).optional().meta({
      description:
        "The wait objective: how long a task may wait from publish to start. Replicas follow from arrival rate, measured service time, slots and start-up time.",
    }),
    scaleUp: z
      .strictObject({
        maxStep: z.int().min(1).max(10_000).optional().meta({ description: "Most replicas added at once. Default: no limit." }),
        windowSeconds: z.int().min(0).max(3_600).default(0).meta({ description: "How long more must be needed before more are started." }),
      })
      .default({ windowSeconds: 0 })
      .meta({ description: "Limits on growing." }),
    scaleDown: z
      .strictObject({
        maxStep: z.int().min(1).max(10_000).optional().meta({ description: "Most replicas drained at once. Default: no limit." }),
        windowSeconds: z.int().min(0).max(3_600).default(15).meta({ description: "The highest need within this window counts." }),
        drainTimeoutSeconds: z
          .int()
          .min(0)
          .max(604_800)
          .default(0)
          .meta({ description: "How long a drained replica may finish its tasks; 0: for as long as they run." }),
      })
      .default({ windowSeconds: 15, drainTimeoutSeconds: 0 })
      .meta({ description: "Limits on shrinking." }),
    cooldownSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(30)
      .meta({ description: "How long the pool must have nothing to do before the last replica goes." }),
    floors: z
      .array(
        z.strictObject({
          cron: z
            .string()
            .max(100)
            .regex(/^\S+(\s+\S+){4}$/)
            .meta({ description: "When the floor begins: minute, hour, day of month, month, day of week." }),
          timeZone: z.string().max(64).default("UTC").meta({ description: "IANA time zone." }),
          durationMinutes: z.int().min(1).max(44_640).meta({ description: "How long it holds." }),
          minReplicas: z.int().min(0).max(10_000).meta({ description: "Fewest replicas meanwhile." }),
        }),
      )
      .max(50)
      .default([])
      .meta({ description: "Scheduled minimums." }),
    mode: z.enum(["Active", "Advise"]).default("Active").meta({ description: "Advise: decide and report, change nothing." }),
  })
  .meta({ description: "Without it the pool has `replicas` replicas." });
export type Autoscaling = z.output<typeof autoscalingSchema>;

/** What the autoscaler saw and decided last; written on transitions only. */
export const autoscalingStatusSchema = z.object({
  reason: z.string().optional().meta({ description: "Reason of the last decision, one word of the table of reasons." }),
  message: z.string().optional().meta({ description: "The last decision in words, with its inputs." }),
  replicas: z.int().min(0).optional().meta({ description: "Replicas that shall serve, as decided." }),
  next: z.string().optional().meta({ description: "What would happen next if nothing new came." }),
  nextTime: z.string().optional().meta({ description: "When that would be, where it is a matter of time.", format: "date-time" }),
  observed: z
    .object({
      ready: z.number().min(0).meta({ description: "Messages that wait, weighted." }),
      inFlight: z.number().min(0).meta({ description: "Messages that workers hold and have not settled." }),
      trust: z
        .enum(["fresh", "unconfirmed", "stale", "contradicted", "missing"])
        .meta({ description: "How far the two can be trusted. Only fresh ones ever shrink the pool." }),
      arrivalRate: z.number().min(0).optional().meta({ description: "Tasks per second that arrive." }),
      serviceSeconds: z.number().min(0).optional().meta({ description: "How long a task runs, s." }),
    })
    .optional()
    .meta({ description: "What the decision was made upon." }),
  lastScaleTime: z.string().optional().meta({ description: "When the size was changed last.", format: "date-time" }),
});

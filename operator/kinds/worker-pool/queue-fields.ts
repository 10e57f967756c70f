import * as z from "zod";

/** One entry of `spec.queues`. */
export const queueEntry = z.union([
  z.string().min(1).max(255),
  z.strictObject({
    name: z.string().min(1).max(255).meta({ description: "Name on the broker." }),
    weight: z.number().min(0).max(1_000).default(1).meta({ description: "How much one of its tasks counts in the backlog." }),
  }),
  z.strictObject({
    pattern: z.string().min(1).max(200).meta({ description: "Regular expression for whole names on the broker; for runtime custom." }),
    weight: z
      .number()
      .min(0)
      .max(1_000)
      .default(1)
      .meta({ description: "How much one of the tasks in these queues counts in the backlog." }),
  }),
]);

/** `spec.delayedDelivery`. */
export const delayedDelivery = z
  .array(
    z.strictObject({
      queue: z
        .string()
        .min(1)
        .max(255)
        .regex(/^[^,=]+$/)
        .meta({ description: "One of the pool's queues." }),
      routingKey: z
        .string()
        .min(1)
        .max(200)
        .regex(/^[^,]+$/)
        .optional()
        .meta({ description: "With which producers send to it, or a pattern of a topic. Default: the queue's name." }),
    }),
  )
  .max(500)
  .meta({
    description:
      "Queues that Celery's native delayed delivery must reach: from Celery 5.5 on, producers that declare quorum queues on topic exchanges send what has an ETA or countdown through celery_delayed_27. The workers declare those queues and bind theirs behind them. Other exchanges need nothing: what is not due waits in the broker anyway.",
  });

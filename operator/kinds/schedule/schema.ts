import * as z from "zod";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { readyColumns } from "../columns.ts";
import { commonStatus, duration, reference } from "../fields.ts";

const time = (description: string) => z.string().max(40).meta({ description, format: "date-time" });
const name = (description: string) => z.string().min(1).max(255).meta({ description });

/** A task that is published at certain times, each of them once, whichever operator leads. */
export const scheduleKind = defineKind({
  kind: "Schedule",
  plural: "schedules",
  shortNames: ["lssched"],
  description: "A task that is published at certain times, each of them once.",
  finalizer: false,
  immutable: ["brokerRef", "storeRef"],
  rules: [
    {
      rule: "[has(self.cron), has(self.every), has(self.at)].filter(given, given).size() == 1",
      message: "give exactly one of cron, every and at",
    },
    { rule: "has(self.queue) != has(self.exchange)", message: "give either queue or exchange" },
    { field: "routingKey", rule: "!has(self.routingKey) || has(self.exchange)", message: "routingKey needs exchange" },
    {
      field: "endTime",
      rule: "!has(self.startTime) || !has(self.endTime) || self.startTime < self.endTime",
      message: "endTime must be after startTime",
    },
  ],
  spec: z.strictObject({
    brokerRef: reference("Broker"),
    storeRef: reference("Store"),
    cron: z
      .string()
      .max(200)
      .regex(/^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+(\s+\S+){4,5})$/)
      .optional()
      .meta({
        description:
          "Minute, hour, day of month, month, day of week; with six fields the first is the second. Also @hourly, @daily, @weekly, @monthly, @yearly. L is the last day of the month. Where both days are given, either of them suffices.",
      }),
    every: duration("Due again and again, counted from startTime, else from the creation of this object.").optional(),
    at: z.array(time("A time with its offset.")).min(1).max(1_000).optional().meta({ description: "Due once at each of these times." }),
    timeZone: z
      .string()
      .max(64)
      .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/)
      .default("UTC")
      .meta({
        description:
          "IANA time zone of cron. A local time that a clock change skips is due right after the gap; one that comes twice is due the first time, unless the hour is a wildcard.",
      }),
    startTime: time("Nothing is due before.").optional(),
    endTime: time("Nothing is due after.").optional(),
    jitter: duration(
      "Spreads the load: each due time is published up to this long after it, always by the same amount, and never later than the next.",
    ).optional(),
    suspend: z.boolean().default(false).meta({ description: "Nothing is due while true. What was due meanwhile is not made up for." }),
    startingDeadlineSeconds: z
      .int()
      .min(1)
      .max(31_536_000)
      .optional()
      .meta({ description: "A due time that could not be published for so long is missed for good. Default: no limit." }),
    catchUp: z.enum(["Skip", "FireOnce", "FireAll"]).default("FireOnce").meta({
      description:
        "What happens to due times that could not be published for more than 15 s, as while the broker was down. Skip: nothing. FireOnce: the latest is published. FireAll: all are.",
    }),
    concurrencyPolicy: z.enum(["Allow", "Forbid", "Replace"]).default("Allow").meta({
      description:
        "What happens when the run before has not finished, by its result or lease in the Store. Allow: both run. Forbid: the due time is left out. Replace: the run before is revoked.",
    }),
    maxRunSeconds: z
      .int()
      .min(1)
      .max(604_800)
      .default(86_400)
      .meta({ description: "A run of which nothing is known for so long counts as finished, for Forbid and Replace." }),
    task: name("Name of the task, as its workers register it."),
    args: z.array(z.unknown()).max(1_000).default([]).meta({ description: "Positional arguments.", preserveUnknownItems: true }),
    kwargs: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ description: "Keyword arguments; with args at most 256 KiB of JSON.", preserveUnknown: true }),
    queue: name("Queue that takes the message, through the default exchange.").optional(),
    exchange: name("Exchange that takes the message.").optional(),
    routingKey: z.string().max(255).optional().meta({ description: "Routing key, with exchange." }),
    priority: z.int().min(0).max(255).optional().meta({ description: "Priority of the message." }),
    expires: duration("A message that no worker has begun with for so long after it was published is dropped.").optional(),
    headers: z
      .record(z.string(), z.string().max(4_096))
      .optional()
      .meta({ description: "Further headers of the message. Celery's own cannot be overridden." }),
  }),
  status: z.object({
    ...commonStatus,
    schedule: z.string().optional().meta({ description: "The times in short." }),
    lastScheduleTime: z.string().optional().meta({ description: "The due time that was published last.", format: "date-time" }),
    nextScheduleTime: z.string().optional().meta({ description: "The next due time.", format: "date-time" }),
    lastTaskId: z.string().optional().meta({ description: "Celery's id of the task that was published last." }),
    lastResult: z.string().optional().meta({
      description:
        "How that run stands: Waiting, Running, or the state that its worker stored, as SUCCESS. Unknown: it said nothing for maxRunSeconds.",
    }),
    lastRunNow: z.string().optional().meta({ description: "Value of the annotation longshore.dev/run-now that was acted upon last." }),
    handledUntil: z.string().optional().meta({
      description: "Every due time until then was published or left out. The Store knows it more exactly.",
      format: "date-time",
    }),
    published: z.int().min(0).optional().meta({ description: "How many due times were published." }),
    missed: z.int().min(0).optional().meta({ description: "How many due times were left out: missed, or forbidden by concurrencyPolicy." }),
  }),
  columns: [
    { name: "Schedule", type: "string", jsonPath: ".status.schedule", description: "When it is due." },
    { name: "Suspended", type: "boolean", jsonPath: ".spec.suspend", description: "Whether it is suspended." },
    { name: "Last", type: "date", jsonPath: ".status.lastScheduleTime", description: "The due time that was published last." },
    { name: "Next", type: "string", jsonPath: ".status.nextScheduleTime", description: "The next due time." },
    { name: "Last Result", type: "string", jsonPath: ".status.lastResult", description: "How the last run stands." },
    ...readyColumns.map((column) => ({ ...column, priority: 1 }) as const),
    { name: "Missed", type: "integer", jsonPath: ".status.missed", description: "Due times that were left out.", priority: 1 },
    { name: "Task", type: "string", jsonPath: ".spec.task", description: "Name of the task.", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Age." },
  ],
  permissions: [],
});
export type Schedule = ObjectOf<typeof scheduleKind>;

import * as z from "zod";
import type { CelRule } from "../runtime/define-kind.ts";

/** Fields that several kinds share. They are schema only: no kind imports another. */

const DNS_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

export const reference = (what: string) =>
  z
    .strictObject({
      name: z
        .string()
        .min(1)
        .max(253)
        .regex(DNS_NAME)
        .meta({ description: `Name of the ${what}, in the same namespace.` }),
    })
    .meta({
      description: `The ${what} that this object uses. It may be created later: until then the condition says what is missing.`,
    });

/** For kinds of topology, whose Broker may stand elsewhere. */
export const brokerReference = z
  .strictObject({
    name: z.string().min(1).max(253).regex(DNS_NAME).meta({ description: "Name of the Broker." }),
    namespace: z
      .string()
      .min(1)
      .max(63)
      .regex(DNS_NAME)
      .optional()
      .meta({ description: "Namespace of the Broker, whose allowedNamespaces must name this one. Default: this one." }),
  })
  .meta({ description: "The Broker that this object uses. It may be created later: until then the condition says what is missing." });

export const secretKey = (what: string, key: string) =>
  z
    .strictObject({
      secretKeyRef: z
        .strictObject({
          name: z.string().min(1).max(253).meta({ description: "Name of the Secret, in the same namespace." }),
          key: z.string().min(1).max(253).default(key).meta({ description: "Key within the Secret." }),
        })
        .meta({ description: "A key of a Secret. A changed value takes effect by itself." }),
    })
    .meta({ description: what });

/** The management API takes them for steps in a path, however they are escaped. */
const NO_DOTS = { rule: "!(self in ['.', '..'])", message: "RabbitMQ's management API cannot speak of anything named . or .." };

const AT_MOST_255_BYTES = { rule: "size(bytes(self)) <= 255", message: "a name or routing key has at most 255 bytes" };

/** A routing key, or a name that may be empty: AMQP has one byte for its length. */
export const shortText = (description: string) =>
  z
    .string()
    .max(255)
    .meta({ description, cel: [AT_MOST_255_BYTES] });

/** metadata.name is the broker's name where the spec gives none. */
export const ownName: CelRule = {
  field: "metadata.name",
  rule: "has(self.spec.name) || !self.metadata.name.startsWith('amq.')",
  message: "names that begin with amq. belong to the broker: set spec.name",
};

/** Name of an exchange or queue on the broker. What the broker would refuse is refused here: `amq.` is its own, 255 bytes its limit. */
export const brokerName = z
  .string()
  .min(1)
  .max(255)
  .meta({
    description: "Name on the broker. Default: metadata.name.",
    cel: [{ rule: "!self.startsWith('amq.')", message: "names that begin with amq. belong to the broker" }, NO_DOTS, AT_MOST_255_BYTES],
  });

/** `90s`, `15m`, `24h`, `7d`, or several in a row, as `1h30m`. */
export const duration = (what: string) =>
  z
    .string()
    .max(32)
    .regex(/^([0-9]+(ms|s|m|h|d))+$/)
    .meta({ description: `${what} A duration such as 500ms, 90s, 15m, 24h or 7d.` });

/** `100000`, `512Mi`, `1Gi`. */
export const bytes = (what: string) =>
  z
    .union([
      z.int().min(0),
      z
        .string()
        .max(32)
        .regex(/^[0-9]+(Ki|Mi|Gi|Ti|k|M|G|T)?$/),
    ])
    .meta({
      description: `${what} Bytes, as a quantity: 100000, 512Mi, 1Gi.`,
      cel: [
        {
          // What may be a number or text has no pattern in a CRD.
          rule: "type(self) == int ? self >= 0 : self.matches('^[0-9]{1,16}(Ki|Mi|Gi|Ti|k|M|G|T)?$')",
          message: "expected bytes, such as 100000, 512Mi or 1Gi",
        },
      ],
    });

/** Broker arguments: anything the broker takes, with the types that the YAML gives them. */
export const brokerArguments = z.record(z.string(), z.unknown()).meta({
  description: "Further arguments, passed on with their types kept. A typed field wins over the same argument here.",
  preserveUnknown: true,
});

/** Bindings whose destination is the object that lists them. */
export const bindingsFrom = (description: string) =>
  z
    .array(
      z.strictObject({
        exchange: plainName("Name on the broker of the exchange that messages come from."),
        routingKey: shortText("Routing key or pattern.").default(""),
        arguments: brokerArguments.optional(),
      }),
    )
    .max(1_000)
    .default([])
    .meta({ description });

/** Name of what has no names of the broker's own. */
export const plainName = (description: string) =>
  z
    .string()
    .min(1)
    .max(255)
    .meta({ description, cel: [NO_DOTS, AT_MOST_255_BYTES] });

/** Tags of a vhost or user. RabbitMQ takes them as one text with commas, and does not keep letters beyond ASCII. */
export const tags = (description: string) =>
  z
    .array(
      z
        .string()
        .min(1)
        .max(255)
        .regex(/^[!-+\--~]([ -+\--~]*[!-+\--~])?$/),
    )
    .max(32)
    .default([])
    .meta({ description: `${description} ASCII, without commas.` });

/** One of the limits that RabbitMQ puts on a vhost or a user. */
export const limit = (what: string) =>
  z
    .int()
    .min(0)
    .max(2_147_483_647)
    .optional()
    .meta({ description: `Most ${what}. Default: no limit.` });

export const deletionPolicy = z.enum(["Delete", "Retain", "DeleteIfEmpty"]);

/** For what cannot be empty. */
export const plainDeletionPolicy = deletionPolicy
  .exclude(["DeleteIfEmpty"])
  .default("Delete")
  .meta({ description: "Whether it goes from the broker when this object is deleted." });

const conditions = z
  .array(
    z.object({
      type: z.string().max(316).meta({ description: "What is being said something of." }),
      status: z.enum(["True", "False", "Unknown"]).meta({ description: "Whether it is so." }),
      reason: z.string().max(1024).meta({ description: "Why, in one word of the table of reasons." }),
      message: z.string().max(32_768).meta({ description: "Why, in words, and what to do." }),
      observedGeneration: z.int().min(0).optional().meta({ description: "The generation of the spec that this speaks of." }),
      lastTransitionTime: z.string().meta({ format: "date-time", description: "When `status` changed last." }),
    }),
  )
  .meta({ description: "Ready is the summary.", listMapKeys: ["type"] });

/** Part of every status. */
export const commonStatus = {
  observedGeneration: z.int().min(0).optional().meta({ description: "The generation of the spec that this status speaks of." }),
  conditions: conditions.optional(),
} as const;

/** Part of the status of every kind of topology. */
export const topologyStatus = {
  ...commonStatus,
  repairs: z.int().min(0).optional().meta({ description: "How often somebody changed it on the broker and Longshore changed it back." }),
  owned: z.boolean().optional().meta({
    description:
      "It stands on the broker because of this object, and goes with it. Absent where only the finalizer longshore.dev/finalizer says so.",
  }),
  plan: z
    .array(z.string())
    .optional()
    .meta({ description: "With the annotation longshore.dev/plan: what would be done. Nothing is, until the annotation goes." }),
} as const;

import * as z from "zod";
import { brokerArguments } from "../fields.ts";

const count = (description: string) => z.int().min(0).optional().meta({ description });

/** Part of a Queue's status: what the broker counts. Looked at every 30 s, and written only when it differs: at rest nothing is. */
export const queueFigures = {
  messages: count("Ready and unacked messages. Some seconds old, as all that follows; workers are scaled by what is live."),
  messagesReady: count("Messages that wait in the queue."),
  messagesUnacked: count("Messages that are delivered and not yet acknowledged."),
  consumers: count("Consumers. Absent where the Broker has more than 1,000 Queues."),
  state: z.string().optional().meta({ description: "The broker's word for how it is: running, or what keeps it from it." }),
  effectivePolicy: z
    .object({
      policy: z.string().optional().meta({ description: "Name of the policy that applies." }),
      operatorPolicy: z.string().optional().meta({ description: "Name of the operator policy that applies." }),
      definition: brokerArguments.optional().meta({ description: "What both together set.", preserveUnknown: true }),
    })
    .optional()
    .meta({ description: "The policies that the broker applies to it, whoever made them." }),
} as const;

import type { Publication } from "../ports.ts";

/** A result for the queue of a client that waits for it there: Celery's RPC backend. celery/backends/rpc.py. The queue is the client's. */
export const replyWith = (replyTo: string, taskId: string, result: string): Publication => ({
  exchange: "",
  routingKey: replyTo,
  properties: {
    contentType: "application/json",
    contentEncoding: "utf-8",
    correlationId: taskId,
    deliveryMode: 1,
    priority: 0,
    headers: {},
  },
  body: Buffer.from(result),
});

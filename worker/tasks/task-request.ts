import type { Delivery, MessageProperties } from "../ports.ts";
import type { Value, ValueMap } from "../protocol/json/value.ts";
import type { TaskMessage, TimeLimit } from "../protocol/task-message.ts";

/** What a task may know about the message that called it: Celery's `self.request`. Fields that the sender left unset are absent. */
export interface TaskRequest {
  readonly args: readonly Value[];
  readonly kwargs: ValueMap;
  readonly rootId: string;
  readonly parentId?: string;
  /** The group, or the header of the chord, that the task is a part of. */
  readonly group?: string;
  readonly eta?: Date;
  readonly expires?: Date;
  /** Seconds: the message's own limits, else the task's. */
  readonly timeLimit: TimeLimit;
  readonly replyTo?: string;
  /** How often a task was replaced to get here. */
  readonly replacedTaskNesting: number;
  /** As they came, a producer's own among them. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly stamps: Readonly<Record<string, unknown>>;
  readonly properties: Omit<MessageProperties, "headers">;
  readonly deliveryInfo: DeliveryInfo;
}

/** How the message came here. */
export interface DeliveryInfo {
  readonly exchange: string;
  readonly routingKey: string;
  readonly priority: number;
}

/** The request of one message, as the task sees it. */
export function requestOf(
  task: TaskMessage,
  delivery: Pick<Delivery, "exchange" | "routingKey" | "properties">,
  timeLimit: TimeLimit,
): TaskRequest {
  const { args, kwargs, rootId, parentId, group, eta, expires, replyTo, replacedTaskNesting, headers, stamps, priority } = task;
  const { headers: _headers, ...properties } = delivery.properties;
  return {
    args,
    kwargs,
    rootId,
    timeLimit,
    replacedTaskNesting,
    headers,
    stamps,
    properties,
    deliveryInfo: { exchange: delivery.exchange, routingKey: delivery.routingKey, priority: priority ?? 0 },
    ...(parentId === undefined ? {} : { parentId }),
    ...(group === undefined ? {} : { group }),
    ...(eta === undefined ? {} : { eta }),
    ...(expires === undefined ? {} : { expires }),
    ...(replyTo === undefined ? {} : { replyTo }),
  };
}

import type { Publication } from "../ports.ts";
import { encodeJson } from "./json/json.ts";
import type { TaskMessage } from "./task-message.ts";

/** The topic exchange that every event goes to. celery/events/event.py */
const EVENT_EXCHANGE = "celeryev";
/** Celery flushes task events when so many wait, and at the end of each loop. */
export const EVENT_BUFFER_LIMIT = 24;

/** Who sends, and when: fields that every event carries. */
export interface EventOrigin {
  /** The node name, `celery@pod`. */
  readonly hostname: string;
  readonly pid: number;
  /** The Lamport clock that events and remote control share, already forwarded for this event. */
  readonly clock: number;
  /** Seconds since the epoch, with a fraction. */
  readonly timestamp: number;
  /** Whole hours that local time is behind UTC; 0 in a pod. */
  readonly utcoffset?: number;
}

export interface CeleryEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** An event in the field order of Celery. `fields` come from event-fields.ts. */
export function buildEvent(type: string, origin: EventOrigin, fields: Readonly<Record<string, unknown>>): CeleryEvent {
  const { hostname, pid, clock, timestamp, utcoffset = 0 } = origin;
  return { hostname, utcoffset, pid, clock, ...fields, timestamp, type };
}

/** One event as a message of its own: worker events are sent so. */
export function encodeEvent(event: CeleryEvent): Publication {
  return publication(event, event.type.replaceAll("-", "."), event["hostname"]);
}

/** Several events of one group (`task`) as one message. Throws TypeError for an empty list. */
export function encodeEventBatch(events: readonly CeleryEvent[]): Publication {
  const [first] = events;
  if (first === undefined) throw new TypeError("no events to send");
  return publication(events, `${first.type.split("-", 1)[0] ?? ""}.multi`, first["hostname"]);
}

function publication(body: unknown, routingKey: string, hostname: unknown): Publication {
  return {
    exchange: EVENT_EXCHANGE,
    routingKey,
    properties: { contentType: "application/json", contentEncoding: "utf-8", deliveryMode: 1, priority: 0, headers: { hostname } },
    body: Buffer.from(encodeJson(body)),
  };
}

/** What `task-received` says of a task, as Flower lists it. celery/worker/strategy.py */
export function receivedFields(task: TaskMessage): Record<string, unknown> {
  const { headers } = task;
  return {
    uuid: task.id,
    name: task.shadow ?? task.name,
    args: task.argsRepr ?? "",
    kwargs: task.kwargsRepr ?? "",
    root_id: task.rootId,
    parent_id: task.parentId ?? null,
    retries: task.retries,
    eta: headers["eta"] ?? null,
    expires: headers["expires"] ?? null,
  };
}

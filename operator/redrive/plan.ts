/** One message of a dead-letter queue, as far as redriving looks into it. */
export interface Letter {
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface RedriveFilter {
  /** Task names, with `*` for any text. */
  readonly task?: string;
  /** `rejected`, `failed`, `not-registered`, `malformed`, `delivery-limit`; or RabbitMQ's own: `expired`, `maxlen`, `delivery_limit`. */
  readonly reason?: string;
  /** Where to send, instead of where each came from. */
  readonly to?: string;
  /** The queue that is read; nothing is sent back into it. */
  readonly from: string;
  /** Also what is older than a lease's record lives. */
  readonly force: boolean;
}

/** What is known of a letter's death. */
export interface Death {
  readonly task: string;
  readonly id: string;
  readonly reason: string;
  readonly error: string;
  /** Where it was when it died. */
  readonly queue: string | undefined;
  /** ms since the epoch. */
  readonly time: number | undefined;
}

export type RedrivePlan =
  | { readonly do: "send"; readonly queue: string; readonly headers: Readonly<Record<string, unknown>>; readonly death: Death }
  | { readonly do: "keep"; readonly why: string; readonly death: Death };

/** Workers forget what they did after a day: a message that is older than that would run again though its effect has happened. */
const RECORD_TTL_MS = 86_400_000;

/** How often a message was redriven before. */
const REDRIVEN = "longshore-redriven";
/** Left on, RabbitMQ takes the message for one that runs in a circle. */
const GONE = /^(x-(death|first-death-|last-death-|delivery-count|acquired-count|opt-)|longshore-death-)/;

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The first entry of RabbitMQ's own `x-death`, the latest. https://www.rabbitmq.com/docs/dlx#effects */
function brokerDeath(headers: Letter["headers"]): { queue?: unknown; reason?: unknown; time?: unknown } {
  const list = headers["x-death"];
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return typeof first === "object" && first !== null ? first : {};
}

function timeOf(headers: Letter["headers"], time: unknown): number | undefined {
  const own = Date.parse(text(headers["longshore-death-time"]));
  if (!Number.isNaN(own)) return own;
  // amqplib gives AMQP's timestamps as {"!": "timestamp", value: seconds}.
  const value = typeof time === "object" && time !== null && "value" in time ? time.value : time;
  return typeof value === "number" ? value * 1_000 : undefined;
}

/** Why, when and where a letter died, by the worker's headers, else by the broker's. */
function deathOf({ headers }: Letter): Death {
  const broker = brokerDeath(headers);
  const queue = text(headers["longshore-death-queue"]) || text(broker.queue);
  return {
    task: text(headers["task"]),
    id: text(headers["id"]),
    reason: text(headers["longshore-death-reason"]) || text(broker.reason),
    error: text(headers["longshore-death-error"]),
    queue: queue === "" ? undefined : queue,
    time: timeOf(headers, broker.time),
  };
}

const matches = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => RegExp.escape(part))
      .join(".*")}$`,
    "s",
  ).test(name);

/** What to do with a letter: where to send it, or why it stays. Pure. */
export function planRedrive(letter: Letter, filter: RedriveFilter, now: number): RedrivePlan {
  const death = deathOf(letter);
  const keep = (why: string): RedrivePlan => ({ do: "keep", why, death });
  if (filter.task !== undefined && !matches(filter.task, death.task)) return keep("another task");
  if (filter.reason !== undefined && filter.reason !== death.reason) return keep("another reason");
  const queue = filter.to ?? death.queue;
  if (queue === undefined) return keep("nothing says where it came from; name a queue with --to");
  if (queue === filter.from) return keep(`it would go back into ${filter.from}; name another queue with --to`);
  if (!filter.force && (death.time === undefined || now - death.time >= RECORD_TTL_MS))
    return keep(
      "it died more than a day ago, or nobody knows when: what it did may be forgotten, and done again; --force sends it all the same",
    );
  const kept = Object.entries(letter.headers).filter(([name]) => !GONE.test(name));
  const before = letter.headers[REDRIVEN];
  const headers = { ...Object.fromEntries(kept), [REDRIVEN]: (typeof before === "number" ? before : 0) + 1 };
  return { do: "send", queue, headers, death };
}

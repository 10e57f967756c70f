import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import type { BrokerEndpoint, OnChange, Part, Target } from "../ports.ts";
import { type BrokerConnection, openConnection } from "./connection.ts";

/** Of the plugin rabbitmq_event_exchange: one message without a body per thing that happens (github.com/rabbitmq/rabbitmq-event-exchange). */
const EXCHANGE = "amq.rabbitmq.event";
/** The plugin publishes to this vhost, unless configured otherwise. */
const EVENTS_VHOST = "/";
const TARGETS = ["queue.created", "queue.deleted", "exchange.created", "exchange.deleted", "binding.created", "binding.deleted"];
/** What events may have changed, by the beginning of their keys; logins, which are `user.authentication.*`, are not among them. */
const PARTS: readonly (readonly [keys: readonly string[], parts: readonly Part[]])[] = [
  [["vhost.#"], ["vhost"]],
  [["user.created", "user.deleted", "user.password.*", "user.tags.*", "user.limits.*"], ["user"]],
  // A user's permissions go with it, and nothing is said of them.
  [["permission.*", "user.deleted"], ["permission"]],
  [["topic.permission.*", "user.deleted"], ["topic-permission"]],
  [
    ["policy.*", "operator_policy.*"],
    ["policy", "operator-policy"],
  ],
  [["parameter.*"], ["federation-upstream", "shovel", "policy", "operator-policy"]],
];
const KEYS = [...TARGETS, ...PARTS.flatMap(([keys]) => keys)];
/** Beyond this the oldest events are dropped; the poll finds what they told. */
const MAX_WAITING = 10_000;

/**
 * Calls back on every event of the endpoint's vhost, and without a target after a connection was lost, for events may have been missed.
 * "unsupported" where the plugin is off or the user may not read there. Throws `BrokerError` when the broker cannot be reached.
 */
export async function subscribeChanges(
  endpoint: BrokerEndpoint,
  random: () => number,
  onChange: OnChange,
): Promise<AsyncDisposable | "unsupported"> {
  const down = () => onChange();
  const options = { name: "longshore-operator events", vhost: EVENTS_VHOST, random };
  const connection = openConnection(endpoint, { ...options, onChange: ({ up }) => (up ? undefined : down()) });
  const first = await connection.model().catch(() => undefined);
  const subscribed = first !== undefined && (await listen(first, endpoint.vhost, onChange));
  if (!subscribed) {
    await connection[Symbol.asyncDispose]();
    return "unsupported";
  }
  return resubscribing(connection, first, endpoint.vhost, onChange);
}

function resubscribing(connection: BrokerConnection, first: ChannelModel, vhost: string, onChange: OnChange): AsyncDisposable {
  const again = connection.onUp((model) => {
    if (model === first) return;
    // When it fails, the next connection may do better: a connection that hears nothing must not pass for one that does.
    void listen(model, vhost, onChange).then((works) => (works ? onChange() : model.close().catch(() => undefined)));
  });
  return {
    async [Symbol.asyncDispose]() {
      again[Symbol.dispose]();
      await connection[Symbol.asyncDispose]();
    },
  };
}

/** Whether it worked. Never throws. */
async function listen(model: ChannelModel, vhost: string, onChange: OnChange): Promise<boolean> {
  try {
    const channel = await model.createChannel();
    channel.on("error", () => undefined); // The same error rejects the call that caused it.
    await channel.checkExchange(EXCHANGE);
    await consume(channel, vhost, onChange);
    return true;
  } catch {
    return false;
  }
}

async function consume(channel: Channel, vhost: string, onChange: OnChange): Promise<void> {
  const { queue } = await channel.assertQueue("", { exclusive: true, autoDelete: true, durable: false, maxLength: MAX_WAITING });
  for (const key of KEYS) await channel.bindQueue(queue, EXCHANGE, key);
  const told = (message: ConsumeMessage | null): void => {
    if (message === null) return onChange(); // Somebody deleted our queue.
    const headers: Readonly<Record<string, unknown>> = message.properties.headers ?? {};
    const { routingKey } = message.fields;
    if (routingKey.startsWith("vhost.") && headers["name"] === vhost) onChange();
    for (const one of partsIn(routingKey)) onChange(one);
    if (!TARGETS.includes(routingKey) || headers["vhost"] !== vhost) return;
    const target = targetIn(routingKey, headers);
    if (target?.name === queue) return;
    if (routingKey.endsWith(".created")) onChange(target, "made");
    else onChange(target);
  };
  await channel.consume(queue, told, { noAck: true });
}

function targetIn(key: string, headers: Readonly<Record<string, unknown>>): Target | undefined {
  const [kind] = key.split(".");
  const binding = kind === "binding";
  const type = binding ? headers["destination_kind"] : kind;
  const name = binding ? headers["destination_name"] : headers["name"];
  return typeof name === "string" && (type === "queue" || type === "exchange") ? { type, name } : undefined;
}

const partsIn = (key: string): readonly Part[] =>
  PARTS.filter(([keys]) => keys.some((pattern) => key.startsWith(pattern.replace(/[*#]$/, "")))).flatMap(([, parts]) => parts);

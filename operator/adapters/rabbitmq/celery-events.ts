import type { ChannelModel, ConsumeMessage } from "amqplib";
import * as z from "zod";
import type { CeleryBeat, CeleryEventsPort } from "../../autoscale/sense/celery-beats.ts";
import type { BrokerConnection } from "./connection.ts";

/** As Celery declares it: celery/events/event.py. */
const EXCHANGE = "celeryev";
/** Event types with their dashes as dots. */
const KEY = "worker.heartbeat";
/** Beats that nobody took for so long, or that pile up, are worth nothing. */
const QUEUE = { durable: false, exclusive: true, autoDelete: true, messageTtl: 5_000, maxLength: 10_000 } as const;

const beatSchema = z
  .object({ hostname: z.string(), pid: z.number(), active: z.number(), processed: z.number() })
  .transform(({ hostname: node, pid, active, processed }): CeleryBeat => ({ node, pid, active, processed }));

/** Hears Celery's `worker-heartbeat` events over a connection that is shared, on one exclusive queue, however many workers there are. */
export function createCeleryEvents(connection: Pick<BrokerConnection, "onUp">): CeleryEventsPort {
  let listening: Disposable | undefined;

  const open = async (model: ChannelModel, onBeat: (beat: CeleryBeat) => void): Promise<void> => {
    const channel = await model.createChannel();
    // Without a listener the error would end the process; the workers are asked instead.
    channel.on("error", () => undefined);
    await channel.assertExchange(EXCHANGE, "topic", { durable: true });
    const { queue } = await channel.assertQueue("", QUEUE);
    await channel.bindQueue(queue, EXCHANGE, KEY);
    await channel.consume(queue, (message) => parse(message).forEach(onBeat), { noAck: true, exclusive: true });
  };

  return {
    listen(onBeat) {
      listening ??= connection.onUp((model) => {
        // A user who may not listen: the workers are asked instead, more often.
        void open(model, onBeat).catch(() => undefined);
      });
    },
    async [Symbol.asyncDispose]() {
      // The queue goes with the connection, which belongs to whoever opened it.
      listening?.[Symbol.dispose]();
    },
  };
}

/** Beats may come in a list, as other events do. What is none is left out. */
function parse(message: ConsumeMessage | null): readonly CeleryBeat[] {
  if (message === null) return [];
  try {
    const body: unknown = JSON.parse(message.content.toString("utf8"));
    return (Array.isArray(body) ? body : [body]).flatMap((one) => beatSchema.safeParse(one).data ?? []);
  } catch {
    return []; // Another serializer than Celery's own for events.
  }
}

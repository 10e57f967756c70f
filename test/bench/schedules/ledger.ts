import { type ChannelModel, connect } from "amqplib";
import { tickOf } from "../../integration/schedule-stage.ts";

/** Every message that schedules published, as a second queue on their exchange saw it. Times in ms since the epoch; all clocks are this machine's. */
export interface TickLedger extends AsyncDisposable {
  /** Different due times per schedule. */
  readonly ticks: ReadonlyMap<string, ReadonlySet<number>>;
  /** One line per message, in the order of arrival. */
  readonly lines: readonly { readonly schedule: string; readonly due: number; readonly arrived: number; readonly origin: string }[];
  /** The latest due time that every one of `count` schedules has. */
  completeUntil(count: number): number;
  /** Resolves with the first message after now that fits. */
  first(fits: (line: TickLedger["lines"][number]) => boolean): Promise<TickLedger["lines"][number]>;
}

/** @param exchange whose messages it takes a copy of, on a queue of its own that keeps nothing on disk */
export async function openTickLedger(uri: string, exchange: string): Promise<TickLedger> {
  const model: ChannelModel = await connect(uri);
  const channel = await model.createChannel();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, "");
  const ticks = new Map<string, Set<number>>();
  const latest = new Map<string, number>();
  const lines: { schedule: string; due: number; arrived: number; origin: string }[] = [];
  const waiters = new Set<(line: (typeof lines)[number]) => void>();
  await channel.consume(
    queue,
    (message) => {
      const headers = message?.properties.headers ?? {};
      const { schedule, due } = tickOf(headers);
      const line = { schedule, due, arrived: Date.now(), origin: String(headers["origin"]) };
      const known = ticks.get(schedule) ?? new Set();
      ticks.set(schedule, known.add(due));
      latest.set(schedule, Math.max(due, latest.get(schedule) ?? 0));
      lines.push(line);
      for (const waiter of waiters) waiter(line);
    },
    { noAck: true },
  );
  return {
    ticks,
    lines,
    completeUntil: (count) => (latest.size < count ? 0 : Math.min(...latest.values())),
    first: (fits) =>
      new Promise((resolve) => {
        const waiter = (line: (typeof lines)[number]) => {
          if (!fits(line)) return;
          waiters.delete(waiter);
          resolve(line);
        };
        waiters.add(waiter);
      }),
    [Symbol.asyncDispose]: () => model.close(),
  };
}

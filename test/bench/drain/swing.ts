import { setTimeout as delay } from "node:timers/promises";
import type { ConfirmChannel } from "amqplib";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Ledger } from "./ledger.ts";
import { seeded, send, wave } from "./load.ts";
import type { DrainPool } from "./pools.ts";
import { watchScaleIns } from "./watch.ts";

export interface SwingOptions {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly pools: readonly DrainPool[];
  readonly channel: ConfirmChannel;
  readonly ledger: Ledger;
  /** Goes on until both are reached, or the time is over. */
  readonly tasks: number;
  readonly scaleIns: number;
  /** Begins no wave after this time, s: a slow machine reaches less, and its figures say so. */
  readonly withinSeconds: number;
  readonly seed: number;
}

/** Every task must have ended so long after the last wave, s. */
const LAST_TASK_SECONDS = 300;

export interface Swung {
  readonly sent: number;
  readonly scaleIns: number;
  readonly removed: number;
  readonly podsMax: number;
  readonly seconds: number;
}

/** Lets the load of each pool swing until there were enough tasks and scale-ins, and waits until every task has ended. */
export async function swing(options: SwingOptions): Promise<Swung> {
  const { cluster, namespace, pools, channel, ledger, withinSeconds } = options;
  const began = performance.now();
  const before = ledger.ended;
  let sent = 0;
  await using watch = await watchScaleIns(cluster, namespace);
  const elapsedSeconds = () => (performance.now() - began) / 1_000;
  const enough = () => (sent >= options.tasks && watch.scaleIns >= options.scaleIns) || elapsedSeconds() > withinSeconds;
  const assertNotStuck = (): void => {
    if (elapsedSeconds() < withinSeconds + LAST_TASK_SECONDS) return;
    throw new Error(`of ${sent} tasks only ${ledger.ended - before} ended within ${elapsedSeconds()} s; ${watch.scaleIns} scale-ins`);
  };
  const feed = async ({ name }: DrainPool, index: number): Promise<void> => {
    const random = seeded(options.seed + index);
    let own = 0;
    while (!enough()) {
      const { tasks, left, pauseMs } = wave(random);
      await send(channel, name, tasks);
      sent += tasks.length;
      own += tasks.length;
      while (own - ledger.endedIn(name) > left && !enough()) {
        await delay(200);
      }
      await delay(pauseMs);
    }
  };
  const progress = setInterval(() => {
    process.stderr.write(`  ${sent} tasks sent, ${ledger.ended - before} ended, ${watch.scaleIns} scale-ins\n`);
  }, 10_000);
  try {
    await Promise.all(pools.map(feed));
    while (ledger.ended - before < sent) {
      assertNotStuck();
      await delay(500);
    }
  } finally {
    clearInterval(progress);
  }
  return {
    sent,
    scaleIns: watch.scaleIns,
    removed: watch.removed.size,
    podsMax: watch.podsMax,
    seconds: Math.round((performance.now() - began) / 1_000),
  };
}

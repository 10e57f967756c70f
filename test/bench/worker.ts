import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Lab, openLab, untilReady } from "../integration/worker-process.ts";
import { residentMb } from "./operator-processes.ts";
import { quantile, type Report } from "./report.ts";
import { BULLMQ_VERSION, bullmqRate } from "./worker/bullmq.ts";
import { bareRate, CONCURRENCY, celeryRate, celeryWorker, ourRate, ourWorker, roundTrips } from "./worker/measure.ts";
import { drainRate, FROM, fill, TO } from "./worker/queue.ts";

const DATABASE = 7;
/** So many that half of them are enough for V8's compilers to be done. */
const OUR_TASKS = 40_000;
/** Celery's worker is several times slower, and has nothing to warm up: as long, not as many. */
const CELERY_TASKS = 4_000;
const CALLS = 300;
const ETA_TASKS = 100_000;
const HOUR_MS = 3_600_000;
/** V8 gives back what it does not need once a process has been idle for 8 s, in two steps. */
const IDLE_MS = 20_000;

const median = (values: readonly number[]): number => quantile(values, 0.5);
/** How far the runs lie apart, in percent of their median. */
const spread = (values: readonly number[]): number => Math.round((100 * (Math.max(...values) - Math.min(...values))) / median(values));

/** Everybody once per round, so that what else the machine does hits all alike. */
async function rounds(lab: Lab, trials: number) {
  const runs = {
    ours: (): Promise<number> => ourRate(lab, OUR_TASKS, "bench.noop"),
    withoutLeases: (): Promise<number> => ourRate(lab, OUR_TASKS, "bench.free"),
    celery: (): Promise<number> => celeryRate(lab, CELERY_TASKS),
    bare: (): Promise<number> => bareRate(lab, OUR_TASKS, false),
    bareWithLeases: (): Promise<number> => bareRate(lab, OUR_TASKS, true),
    bullmq: (): Promise<number> => bullmqRate(lab.redisUrl, OUR_TASKS, CONCURRENCY),
  };
  const rates: Record<keyof typeof runs, number[]> = { ours: [], withoutLeases: [], celery: [], bare: [], bareWithLeases: [], bullmq: [] };
  for (let trial = 0; trial < trials; trial += 1) {
    for (const name of Object.keys(runs) as (keyof typeof runs)[]) {
      const rate = await runs[name]();
      rates[name].push(rate);
      process.stderr.write(`round ${trial + 1}, ${name}: ${Math.round(rate)}/s\n`);
      await lab.redis.flushdb();
    }
  }
  return rates;
}

/** Resident memory of an idle worker, and how much a hundred thousand tasks with an ETA an hour away add to it, MB. */
async function memory(lab: Lab): Promise<{ idle: number; etaAdds: number }> {
  await using worker = await ourWorker(lab);
  await untilReady(worker);
  await delay(IDLE_MS);
  const resident = (): number => residentMb(worker.child.pid ?? 0);
  const idle = resident();
  // What the load itself leaves on the heap is no memory of pending tasks.
  await fill(lab.brokerUrl, "q", OUR_TASKS, "bench.noop");
  await drainRate(lab.brokerUrl, "q", OUR_TASKS);
  await delay(IDLE_MS);
  const before = resident();
  await fill(lab.brokerUrl, "q", ETA_TASKS, "bench.noop", HOUR_MS);
  while ((await lab.ready("q")) > 0) await delay(500);
  await delay(IDLE_MS);
  return { idle, etaAdds: resident() - before };
}

/**
 * Our worker beside Celery's, BullMQ's and a bare consumer: same broker, queue, producer and messages, only the worker changes. Runs what
 * `npm run build` made. The queue is classic, messages are persistent, acks come late, results go to Redis.
 */
export async function worker({ trials = 5 }: { trials: number | undefined }): Promise<Report> {
  if (!existsSync(fileURLToPath(new URL("../../dist/worker/main.mjs", import.meta.url)))) throw new Error("run npm run build first");
  await using lab = await openLab("bench-worker", DATABASE, "5.7");
  await lab.declare("q");
  const rates = await rounds(lab, trials);
  const own: number[] = [];
  const celerys: number[] = [];
  for (let trial = 0; trial < trials; trial += 1) {
    own.push(...(await roundTrips(lab, ourWorker, CALLS)));
    celerys.push(...(await roundTrips(lab, celeryWorker, CALLS)));
  }
  const { idle, etaAdds } = await memory(lab);
  const ours = median(rates.ours);
  return {
    bench: "worker",
    figures: {
      tasks_per_s: ours,
      celery_ratio: ours / median(rates.celery),
      bullmq_ratio: ours / median(rates.bullmq),
      ceiling_ratio: ours / median(rates.bare),
      tasks_per_s_without_leases: median(rates.withoutLeases),
      delay_get_p50_ms: median(own),
      delay_get_ratio: median(own) / median(celerys),
      rss_idle_mb: idle,
      eta_100k_mb: etaAdds,
    },
    peers: {
      celery_5_7_prefork_2_per_s: median(rates.celery),
      [`bullmq_${BULLMQ_VERSION}_per_s`]: median(rates.bullmq),
      bare_amqplib_per_s: median(rates.bare),
      bare_amqplib_with_leases_per_s: median(rates.bareWithLeases),
      celery_delay_get_p50_ms: median(celerys),
    },
    settings: {
      concurrency: CONCURRENCY,
      runs: trials,
      tasks: OUR_TASKS,
      celery_tasks: CELERY_TASKS,
      measured: `from ${FROM * 100} to ${TO * 100} percent of the tasks`,
      queue: "classic, persistent messages, late acks, a lease and a result in Redis per task",
      spread_percent: Object.fromEntries(Object.entries(rates).map(([name, values]) => [name, spread(values)])),
    },
    series: { ours_delay_get_ms: own, celery_delay_get_ms: celerys },
  };
}

import { setTimeout as delay } from "node:timers/promises";
import { inParallel } from "../../operator/runtime/in-parallel.ts";
import { taskIdOf } from "../../operator/schedules/task-id.ts";
import { quantile, type Report } from "./report.ts";
import { type Leaders, startLeaders } from "./schedules/leaders.ts";
import { openTickLedger, type TickLedger } from "./schedules/ledger.ts";
import { type BenchStage, EXCHANGE, setStage } from "./schedules/stage.ts";
import { costOf } from "./schedules/ten-thousand.ts";
import { failovers, firstArrivals, type Gap, latenesses, withoutLeader } from "./schedules/verdict.ts";

/** `BENCH_SCHEDULES=50 BENCH_MANY=200` tries the bench itself on a busy machine; 0 leaves out one half of it, `BENCH_TERMS=3` makes it shorter. */
const COUNT = Number(process.env["BENCH_SCHEDULES"] ?? 1_000);
const MANY = Number(process.env["BENCH_MANY"] ?? 10_000);
const TERMS = Number(process.env["BENCH_TERMS"] ?? 10);
const SPLIT_SECONDS = 30;
const CALM_SECONDS = 20;
const WORKERS = 2;

const say = (text: string) => void process.stderr.write(`${text}\n`);

/** Creates the schedules, all with the same first due time. @returns their uids by name, and that time */
async function create({ stage }: BenchStage): Promise<{ readonly uids: ReadonlyMap<string, string>; readonly start: number }> {
  const start = Math.ceil((Date.now() + 20_000 + COUNT * 15) / 1_000) * 1_000;
  const uids = new Map<string, string>();
  await inParallel(
    Array.from({ length: COUNT }, (_, index) => `tick-${index}`),
    16,
    async (name) => {
      const times = { every: "1s", startTime: new Date(start).toISOString(), catchUp: "FireAll" } as const;
      const made = await stage.create(name, { ...times, task: "ledger.tick", exchange: EXCHANGE, routingKey: "" });
      uids.set(name, made.metadata.uid ?? "");
    },
  );
  return { uids, start };
}

/** All schedules have been published up to now, but for what is due right now. */
const madeUp = (ledger: TickLedger): boolean => Date.now() - ledger.completeUntil(COUNT) < 1_250;

/** Ends the leader, and measures until the next one has published, and made up for everything. */
async function handOver(leaders: Leaders, ledger: TickLedger, signal: Gap["signal"]): Promise<Gap> {
  const before = `@${leaders.leader()}`;
  const first = ledger.first(({ origin }) => !origin.endsWith(before));
  const { at: from } = await leaders.end(signal);
  const message = await first;
  while (!madeUp(ledger)) await delay(20);
  const gap = { signal, from, first: message, to: Date.now() };
  const whole = ((message.arrived - from) / 1_000).toFixed(2);
  say(
    `${signal}: ${withoutLeader(gap).toFixed(2)} s, ${whole} s from the signal, made up for after ${((gap.to - from) / 1_000).toFixed(2)} s`,
  );
  return gap;
}

/** Two operators that both hold a lease of their own, for a while. @returns how many different ones published meanwhile, and when that was */
async function splitBrain({ stage, main }: BenchStage, ledger: TickLedger) {
  const from = Date.now();
  const other = stage.operator("operator-split", main, { LEASE_NAME: "longshore-other" });
  await other.said("publishing what is due");
  const begin = ledger.lines.length;
  await delay(SPLIT_SECONDS * 1_000);
  const origins = new Set(ledger.lines.slice(begin).map(({ origin }) => origin));
  await other.end("SIGTERM");
  while (!madeUp(ledger)) await delay(20);
  return { publishers: origins.size, from, to: Date.now() };
}

/** Lets real workers run everything; resolves when all effects are there, or none is added for half a minute. */
async function drain(bench: BenchStage, wanted: number): Promise<ReadonlyMap<string, number>> {
  bench.startWorkers(WORKERS);
  let before = -1;
  for (let still = 0; still < 15; ) {
    await delay(2_000);
    const effects = await bench.redis.hlen("ledger:effects");
    const waiting = await bench.waiting();
    if (effects >= wanted && waiting === 0) still += 5;
    still = effects === before ? still + 1 : 0;
    before = effects;
  }
  return new Map(Object.entries(await bench.redis.hgetall("ledger:effects")).map(([id, times]) => [id, Number(times)]));
}

/** A thousand schedules that are due every second, over leaders that are killed; then what ten thousand cost that are not due. */
export async function schedules({ trials: kills = 50 }: { trials: number | undefined }): Promise<Report> {
  await using bench = await setStage();
  if (COUNT === 0) return { bench: "schedules", figures: await costOf(bench, MANY), peers: {}, settings: { schedules: MANY } };
  await using ledger = await openTickLedger(bench.uris.broker, EXCHANGE);
  const { uids, start } = await create(bench);
  say(`${COUNT} schedules`);
  const leaders = await startLeaders(bench.stage, bench.main);
  while (ledger.completeUntil(COUNT) < start) await delay(100);
  await delay(CALM_SECONDS * 1_000);
  const calm = { from: start + 2_000, to: Date.now() - 1_000 };
  const gaps: Gap[] = [];
  for (let count = 0; count < kills + TERMS; count += 1) {
    gaps.push(await handOver(leaders, ledger, count < kills ? "SIGKILL" : "SIGTERM"));
    await delay(200 + Math.random() * 1_500);
  }
  say("two leaders at once");
  const both = await splitBrain(bench, ledger);
  const end = Math.floor(Date.now() / 1_000) * 1_000;
  while (ledger.completeUntil(COUNT) <= end) await delay(100);
  await bench.api.kubectl(["delete", "schedules", "--all", "--wait=false"]);
  await leaders.stop();

  const published = [...ledger.ticks.values()].reduce((sum, dues) => sum + dues.size, 0);
  say(`${published} due times published with ${ledger.lines.length} messages; workers run them now`);
  const effects = await drain(bench, published);
  let [ticks, missed] = [0, 0];
  for (const uid of uids.values()) {
    for (let due = start; due <= end; due += 1_000) {
      ticks += 1;
      if (!effects.has(taskIdOf(uid, due))) missed += 1;
    }
  }
  const inSplit = ({ due }: { readonly due: number }) => due >= both.from && due <= both.to;
  const arrivals = firstArrivals(ledger.lines);
  const late = latenesses(
    arrivals.filter((line) => !inSplit(line)),
    gaps,
  );
  const whileCalm = arrivals.filter(({ due }) => due >= calm.from && due <= calm.to).map(({ due, arrived }) => arrived - due);
  const [kill, term] = [failovers(gaps, "SIGKILL"), failovers(gaps, "SIGTERM")];
  say(`${ticks} due times, ${missed} missed, lateness p99 ${quantile(late, 0.99)} ms; now what ${MANY} schedules cost`);
  const cost = MANY === 0 ? {} : await costOf(bench, MANY);
  return {
    bench: "schedules",
    figures: {
      ticks,
      missed,
      double_effects: [...effects.values()].filter((times) => times > 1).length,
      messages_twice: ledger.lines.length - published,
      lateness_p50_ms: quantile(late, 0.5),
      lateness_p99_ms: quantile(late, 0.99),
      lateness_calm_p99_ms: quantile(whileCalm, 0.99),
      failover_kill_s: kill.longest,
      failover_kill_p50_s: kill.median,
      failover_kill_from_signal_s: kill.fromSignal,
      failover_term_s: term.longest,
      failover_term_from_signal_s: term.fromSignal,
      failover_term_p50_s: term.median,
      split_brain_publishers: both.publishers,
      split_brain_lateness_p99_ms: quantile(
        arrivals.filter(inSplit).map(({ due, arrived }) => arrived - due),
        0.99,
      ),
      ...cost,
    },
    peers: { celery_beat: "one process only: two duplicate every tick, none publishes none" },
    settings: {
      schedules: COUNT,
      every: "1s",
      catchUp: "FireAll",
      kills,
      terms: TERMS,
      splitBrainSeconds: SPLIT_SECONDS,
      ticks:
        "due times from the first to the last, of all schedules; missed: those without an effect in Redis, counted by real workers' tasks by task id",
      lateness:
        "from the due time to its first message's arrival at a consumer, of due times outside of the time from a kill until the next leader has made up for it, and of the time with two leaders; calm: before the first kill",
      failover:
        "from the signal, or from the first due time after it, to the arrival of the next leader's first message; the longest. from_signal counts from the signal also where nothing was due for most of a second",
    },
    series: {
      lateness_ms: late.filter((_, index) => index % 50 === 0),
      failover_kill_s: gaps.filter(({ signal }) => signal === "SIGKILL").map(withoutLeader),
    },
  };
}

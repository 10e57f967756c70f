import type { Trace } from "../../operator/simulate/trace.ts";

/** One of the bench's traces: made from a seed, never stored. */
export interface BenchTrace {
  readonly name: string;
  readonly startupSeconds: number;
  readonly make: (random: () => number) => Trace;
}

type Draw = (random: () => number) => number;

/** A Poisson stream whose rate (tasks/s) changes with time, by thinning; times in s. */
function* poisson(seconds: number, rate: (at: number) => number, most: number, random: () => number): Generator<number> {
  for (let at = 0; ; ) {
    at -= Math.log(1 - random()) / most;
    if (at >= seconds) return;
    if (random() * most < rate(at)) yield at;
  }
}

function collect(times: Iterable<number>, service: Draw, random: () => number): Trace {
  const arrivedAt = Float64Array.from(times, (at) => at * 1_000);
  return { arrivedAt, serviceMs: Float64Array.from(arrivedAt, () => service(random) * 1_000) };
}

const exponential =
  (mean: number): Draw =>
  (random) =>
    -mean * Math.log(1 - random());

/** Pareto with exponent 1.6, cut at a hundred times its mean: a few tasks are most of the work. */
const heavyTailed =
  (mean: number): Draw =>
  (random) =>
    Math.min(100 * mean, ((mean * 0.6) / 1.6 / (1 - random()) ** (1 / 1.6)) * 1.06);

const varying =
  (seconds: number, rate: (at: number) => number, most: number, service: Draw) =>
  (random: () => number): Trace =>
    collect(poisson(seconds, rate, most, random), service, random);

/** A weekday: quiet nights, a morning rise, a dip at noon, an afternoon peak, and campaigns that send a thousand mails at once. */
function dayRate(at: number): number {
  const hour = at / 3_600;
  const bump = (centre: number, width: number): number => Math.exp(-(((hour - centre) / width) ** 2));
  return 2 + 18 * bump(10.5, 2) + 22 * bump(15.5, 2.5) + 6 * bump(20, 1.5);
}
const DAY = 86_400;

function* withCampaigns(random: () => number): Generator<number> {
  const campaigns = [9, 13.25, 17, 20.5].map((hour) => hour * 3_600);
  const times = [
    ...poisson(DAY, dayRate, 42, random),
    ...campaigns.flatMap((start) => Array.from({ length: 1_000 }, () => start + 5 * random())),
  ];
  yield* times.sort((a, b) => a - b);
}

const MEAN = 1;
const usual = exponential(MEAN);
const HOUR = 3_600;

/** A rate that lies anywhere within 20 % of its mean, and changes so often (s). */
function noisy(seconds: number, mean: number, every: number, random: () => number): (at: number) => number {
  const levels = Array.from({ length: Math.ceil(seconds / every) }, () => mean * (0.8 + 0.4 * random()));
  return (at) => levels[Math.floor(at / every)] ?? mean;
}

/** Five minutes to settle, then the 30 that count. */
export const SETTLE_SECONDS = 300;
const STATIONARY_SECONDS = SETTLE_SECONDS + 1_800;

/** A load that stays, by chance and with noise of 20 % both ways that is drawn anew so often (s). */
export const stationary =
  (every: number) =>
  (random: () => number): Trace =>
    collect(poisson(STATIONARY_SECONDS, noisy(STATIONARY_SECONDS, 30, every, random), 36, random), usual, random);

/** The twelve. A task takes a second on the mean where nothing else is said. */
export const TRACES: readonly BenchTrace[] = [
  {
    name: "step",
    startupSeconds: 3,
    make: varying(HOUR, (at) => (at < 900 ? 10 : at < 2_700 ? 50 : 20), 50, usual),
  },
  { name: "ramp", startupSeconds: 3, make: varying(HOUR, (at) => 2 + (58 * at) / HOUR, 60, usual) },
  {
    name: "sine",
    startupSeconds: 3,
    make: varying(2 * HOUR, (at) => 30 + 25 * Math.sin((2 * Math.PI * at) / 1_200), 55, usual),
  },
  {
    name: "on-off",
    startupSeconds: 3,
    make: varying(2 * HOUR, (at) => (at % 1_200 < 600 ? 40 : 0), 40, usual),
  },
  { name: "poisson", startupSeconds: 3, make: varying(HOUR, () => 30, 30, usual) },
  { name: "noise-20-percent", startupSeconds: 3, make: stationary(1) },
  { name: "heavy-tailed-service", startupSeconds: 3, make: varying(HOUR, () => 30, 30, heavyTailed(MEAN)) },
  {
    name: "slow-start",
    startupSeconds: 20,
    make: varying(HOUR, (at) => 20 + 15 * Math.sin((2 * Math.PI * at) / 1_800), 35, usual),
  },
  {
    name: "bursts",
    startupSeconds: 3,
    make: (random) =>
      collect(
        [
          ...poisson(2 * HOUR, () => 10, 10, random),
          ...Array.from({ length: 12 }, (_, nth) => 600 * nth + 300).flatMap((at) => Array.from({ length: 600 }, () => at + random())),
        ].sort((a, b) => a - b),
        usual,
        random,
      ),
  },
  {
    name: "long-tasks",
    startupSeconds: 3,
    make: varying(2 * HOUR, (at) => (at > 2_400 && at < 4_800 ? 5 : 2), 5, exponential(10)),
  },
  {
    name: "short-tasks",
    startupSeconds: 3,
    make: varying(HOUR, (at) => 120 + 90 * Math.sin((2 * Math.PI * at) / 1_200), 210, exponential(0.1)),
  },
  {
    name: "day",
    startupSeconds: 3,
    make: (random) => collect(withCampaigns(random), usual, random),
  },
];

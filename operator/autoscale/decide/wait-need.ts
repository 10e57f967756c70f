import { type RateFigures, SLOW_SECONDS } from "../observe/rates.ts";
import { slotsFor } from "./erlang.ts";
import { whole } from "./whole.ts";

export interface WaitInput {
  /** Messages that wait. */
  readonly ready: number;
  readonly rates: RateFigures;
  readonly serviceSeconds: number;
  readonly waitSeconds: number;
  readonly startupSeconds: number;
  readonly concurrency: number;
  /** Replicas that serve or start. */
  readonly size: number;
}

export interface WaitNeed {
  readonly replicas: number;
  /** The arrival rate that it was reckoned with. */
  readonly rate: number;
  /** The present size is kept: it lies within these. */
  readonly kept: boolean;
  readonly least: number;
  readonly most: number;
}

/**
 * Three sizes for one arrival rate. `busy`: share of its time that a slot may work. `late`: share of the tasks that may wait longer than the
 * objective, by Erlang's formula, where that asks for more. `doubt`: how many standard deviations of the measured load to add.
 */
interface Level {
  readonly busy: number;
  readonly late: number;
  readonly doubt: number;
}
/** Fewer than this cannot keep up, even if the rate was measured too high: the pool must grow. */
const GROW: Level = { busy: 1, late: 0.05, doubt: -2 };
/** What is aimed for. */
const AIM: Level = { busy: 0.95, late: 0.01, doubt: 0 };
/** More than this is not needed, even if the rate was measured too low: the pool may shrink to it. Between the two it stays as it is. */
const SHRINK: Level = { busy: 0.95, late: 0.001, doubt: 2 };
/** A pool that is too large by no more than this share of it stays as it is. */
const SMALL = 0.1;
/** A backlog is worked off within this share of what the objective leaves. */
const CATCH_UP = 0.8;
/** At least this long is left to work off a backlog, s. */
const LEAST_CATCH_UP_SECONDS = 1;
/** A wait of this share of the objective is nothing to grow for. */
const SPARE = 0.2;
/** A backlog within this share of the objective's worth of work is calm: growth brings it down to that, and with more nothing is taken away. */
const CALM = 0.1;
/** So many wait now and then in a busy pool of any size. */
const CALM_TASKS = 10;

/**
 * The size for a wait objective, from the load a = λS (slots that are busy on the mean), the backlog R, the start-up time B, k slots per
 * replica and the objective T. It must not be below any of three, and while nothing waits there is no reason to grow:
 * - for the rate, the fewest slots with a/slots <= busy and P(W > T) <= late, over k;
 * - for the backlog, (R + what arrives during B beyond what the pool does) · S/k within 80 % of T - B;
 * - for both, R + λT done within T, but for a rest of so many shares of T: a load that is a little too much uses up the objective first.
 * Chance alone moves no size: λ is measured with its own spread, growth needs a rate or a wait that chance does not explain, and shrinking
 * stops where chance might ask for it back. Pure.
 */
export function forWait(input: WaitInput): WaitNeed {
  const { ready, rates, serviceSeconds, waitSeconds, concurrency, size } = input;
  const startup = Math.min(input.startupSeconds, waitSeconds);
  const perReplica = concurrency / serviceSeconds;
  const { believed = { rate: rates.slow, seconds: SLOW_SECONDS, dispersion: 1 } } = rates;
  // Both vary: how many arrive, and how long each takes (as an exponential one does).
  const deviationOf = (rate: number, seconds: number): number => Math.sqrt(((believed.dispersion + 1) * rate) / seconds);
  const deviation = deviationOf(believed.rate, believed.seconds);
  const calmAt = (replicas: number): boolean => ready <= Math.max(CALM_TASKS, CALM * waitSeconds * replicas * perReplica);
  // A backlog that builds up says that more arrive than the past knows.
  const rate = calmAt(size) ? believed.rate : Math.max(believed.rate, rates.slow - deviationOf(rates.slow, SLOW_SECONDS));

  const forRate = ({ busy, late, doubt }: Level, rate: number): number => {
    const load = Math.max(0, rate + doubt * deviation) * serviceSeconds;
    return whole(Math.max(load / busy, slotsFor(load, waitSeconds / serviceSeconds, late)) / concurrency);
  };
  const forBoth = (rate: number, rest: number): number => whole((ready / waitSeconds + rate) / perReplica / (1 + rest));
  const piled = ready + Math.max(0, Math.max(believed.rate, rates.surge ?? 0) - size * perReplica) * startup;
  const forBacklog = whole(piled / perReplica / Math.max((waitSeconds - startup) * CATCH_UP, LEAST_CATCH_UP_SECONDS));

  const least =
    ready === 0 ? 0 : Math.max(forRate(GROW, believed.rate), forBacklog, forBoth(Math.max(0, believed.rate - deviation), SPARE));
  const aim = Math.max(forRate(AIM, rate), forBacklog, forBoth(rate, CALM));
  const enough = Math.max(aim, forRate(SHRINK, Math.max(rate, rates.slow)));
  const most = calmAt(enough) && size - enough > SMALL * size ? enough : Math.max(enough, size);
  const replicas = size < least ? aim : Math.min(size, most);
  return { replicas, rate, kept: replicas === size, least, most };
}

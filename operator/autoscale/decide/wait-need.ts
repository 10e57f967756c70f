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
const GROW: Level = { busy: 1, late: 0.05, doubt: -1 };
/** What is aimed for. */
const AIM: Level = { busy: 0.95, late: 0.01, doubt: 0 };
/** More than this is not needed, even if the rate was measured too low: the pool may shrink. Between the two it stays as it is. */
const SHRINK: Level = { busy: 0.95, late: 0.001, doubt: 1.5 };
/** A backlog is worked off within this share of what the objective leaves. */
const CATCH_UP = 0.8;
/** At least this long is left to work off a backlog, s. */
const LEAST_CATCH_UP_SECONDS = 1;
/** A backlog within this share of the objective's worth of work is calm; with more every slot is busy, and to shrink would save nothing. */
const CALM = 0.1;
/** So many wait now and then in a busy pool of any size. */
const CALM_TASKS = 10;

/**
 * The size for a wait objective, from the load a = λS (slots that are busy on the mean), the backlog R, the start-up time B, k slots per
 * replica and the objective T:
 * - for the rate: the fewest slots with a/slots <= busy and P(W > T) <= late, over k;
 * - for the backlog: (R + what arrives during B beyond what the pool does) · S/k within 80 % of T - B;
 * - the higher of the two, and none as long as the present size lies between the level at which it must grow and that at which it may shrink.
 * Chance alone moves no size: the levels lie apart by more than the error of the measured rate. Pure.
 */
export function forWait(input: WaitInput): WaitNeed {
  const { ready, rates, serviceSeconds, waitSeconds, concurrency, size } = input;
  const startup = Math.min(input.startupSeconds, waitSeconds);
  const perReplica = concurrency / serviceSeconds;
  const calm = ready <= Math.max(CALM_TASKS, CALM * waitSeconds * size * perReplica);
  const { believed = { rate: rates.slow, seconds: SLOW_SECONDS } } = rates;
  // A backlog that builds up says that more arrive than the past knows.
  const rate = calm ? believed.rate : Math.max(believed.rate, rates.slow);
  const sized = ({ busy, late, doubt }: Level, rate: number): number => {
    const load = Math.max(0, rate + doubt * Math.sqrt((2 * rate) / believed.seconds)) * serviceSeconds;
    return whole(Math.max(load / busy, slotsFor(load, waitSeconds / serviceSeconds, late)) / concurrency);
  };
  const piled = ready + Math.max(0, Math.max(rate, rates.surge ?? 0) - size * perReplica) * startup;
  const catchUp = whole(piled / perReplica / Math.max((waitSeconds - startup) * CATCH_UP, LEAST_CATCH_UP_SECONDS));
  const aim = Math.max(sized(AIM, rate), catchUp);
  const least = calm ? Math.max(sized(GROW, rate), catchUp) : aim;
  const most = Math.max(aim, sized(SHRINK, Math.max(rate, rates.slow)), calm ? 0 : size);
  const kept = size >= least && size <= most;
  return { replicas: kept ? size : aim, rate, kept, least, most };
}

/** A mean rate, and over how many seconds it was taken. */
export interface Rate {
  /** Per second. */
  readonly rate: number;
  readonly seconds: number;
}

/** The best guess of a rate. */
export interface Believed extends Rate {
  /** Variance of a count over its mean: 1 for arrivals that know nothing of each other (Poisson), more for bursts and noise. Never below 1. */
  readonly dispersion: number;
}

/** A longer past is believed no more when it is that many standard deviations away from a shorter one. */
const CONTRADICTION = 4;
/** Fewer counts than this say nothing about their spread. */
const LEAST_COUNTS = 6;
/** The median of the absolute difference of two normal values, in standard deviations of one of them. */
const MEDIAN_DIFFERENCE = 0.954;

/**
 * The mean over the longest time that no shorter one contradicts by more than chance explains: precise while nothing changes, and quick
 * when something does (Lepski's choice of a window). Counts are compared by their square roots, whose deviation is a half whatever the
 * mean is, times the root of the dispersion (Anscombe, Biometrika 35, 1948). 0 of nothing. Pure.
 * @param counts arrivals of equal times that follow one another: what their spread, and so chance, is learnt from
 */
export function believe(shortestFirst: readonly Rate[], counts: readonly number[]): Believed {
  const dispersion = dispersionOf(counts);
  let [chosen = { rate: 0, seconds: 1 }] = shortestFirst;
  const root = ({ rate }: Rate, seconds: number): number => Math.sqrt(rate * seconds + 3 / 8);
  for (const [index, longer] of shortestFirst.entries()) {
    const deviations = (short: Rate): number =>
      (2 * Math.abs(root(short, short.seconds) - root(longer, short.seconds))) / Math.sqrt(dispersion);
    if (shortestFirst.slice(0, index).some((short) => deviations(short) > CONTRADICTION)) break;
    chosen = longer;
  }
  return { ...chosen, dispersion };
}

/**
 * How much more the counts spread than independent arrivals would, from the median difference of neighbours: neither one step nor a few
 * bursts move it, and a slow change of the mean hardly does (after von Neumann, Annals of Mathematical Statistics 12, 1941).
 */
function dispersionOf(counts: readonly number[]): number {
  if (counts.length < LEAST_COUNTS) return 1;
  const differences = counts.slice(1).map((count, index) => Math.abs(count - (counts[index] ?? count)));
  const median = differences.sort((a, b) => a - b)[Math.floor(differences.length / 2)] ?? 0;
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return mean <= 0 ? 1 : Math.max(1, (median / MEDIAN_DIFFERENCE) ** 2 / mean);
}

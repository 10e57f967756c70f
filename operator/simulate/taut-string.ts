/**
 * The shortest line between two walls: of all functions between `lower` and `upper` (given at 0, 1, 2 …; both non-decreasing, and
 * equal at both ends) the one that changes its slope least, as a string does when it is pulled tight. Returns the slope of each step.
 * For work that must be done between its arrival and its deadline this is the plan with the smallest peak and the fewest changes
 * (Davies and Kovac, Annals of Statistics 29, 2001, section 2).
 */
export function tautString(lower: Float64Array, upper: Float64Array): Float64Array {
  const last = lower.length - 1;
  const slopes = new Float64Array(Math.max(0, last));
  let from = 0;
  let height = lower[0] ?? 0;
  while (from < last) {
    const knot = nextKnot(lower, upper, from, height);
    const slope = (knot.height - height) / (knot.at - from);
    slopes.fill(slope, from, knot.at);
    from = knot.at;
    height = knot.height;
  }
  return slopes;
}

/** Where the string that leaves `from` touches a wall next and bends. */
function nextKnot(lower: Float64Array, upper: Float64Array, from: number, height: number): { at: number; height: number } {
  const last = lower.length - 1;
  // The steepest line that stays below `upper` so far, the flattest that stays above `lower`, and where they touch.
  let [steepest, steepestAt] = [Number.POSITIVE_INFINITY, from];
  let [flattest, flattestAt] = [Number.NEGATIVE_INFINITY, from];
  for (let at = from + 1; at <= last; at++) {
    const high = ((upper[at] ?? 0) - height) / (at - from);
    const low = ((lower[at] ?? 0) - height) / (at - from);
    if (high < flattest) return { at: flattestAt, height: lower[flattestAt] ?? 0 };
    if (low > steepest) return { at: steepestAt, height: upper[steepestAt] ?? 0 };
    if (high <= steepest) [steepest, steepestAt] = [high, at];
    if (low >= flattest) [flattest, flattestAt] = [low, at];
  }
  return { at: last, height: upper[last] ?? 0 };
}

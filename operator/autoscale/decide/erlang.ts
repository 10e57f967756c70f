/** Shares and sizes below this are rounding noise. */
const TINY = 1e-9;
/** Above this the sum is long, and square-root staffing as good: three deviations of a Poisson count of busy slots. */
const LARGE = 10_000;

/**
 * The fewest slots at which at most `share` of the tasks wait longer than `objective`, with Poisson arrivals and exponential service times:
 * Erlang's delay formula, P(W > t) = C(n, a)·exp(-(n - a)·t/S), with C by the recursion of his loss formula (Kleinrock, Queueing Systems I,
 * section 3.8). It is above `load`, for a pool that is always full never catches up.
 * @param load arrival rate times service time: slots that are busy on the mean
 * @param objective longest wait, in service times
 */
export function slotsFor(load: number, objective: number, share: number): number {
  // What is not a number is no load either: the loop below would not end.
  if (!(load > TINY)) return 0;
  if (load > LARGE) return Math.ceil(load + 3 * Math.sqrt(load));
  let loss = 1;
  for (let slots = 1; ; slots++) {
    loss = (load * loss) / (slots + load * loss);
    if (slots <= load) continue;
    const delayed = loss / (1 - (load / slots) * (1 - loss));
    if (delayed * Math.exp(-(slots - load) * objective) <= share) return slots;
  }
}

/** Preloaded into a process: SIGUSR2 moves its wall clock by an hour, forth, back, and back again, as a corrected or restored machine's does. */
const HOUR_MS = 3_600_000;
const offsets = [HOUR_MS, 0, -HOUR_MS, 0];
let offset = 0;
let jumps = 0;
const RealDate = Date;
const now = (): number => RealDate.now() + offset;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: []) => new target(...(args.length === 0 ? ([now()] as unknown as []) : args)),
  apply: () => new RealDate(now()).toString(),
  get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
});
process.on("SIGUSR2", () => {
  offset = offsets[jumps % offsets.length] ?? 0;
  jumps += 1;
});

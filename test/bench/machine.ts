import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/** How long so far some process waited for a processor, ms: Linux's own account (PSI). NaN where the kernel keeps none. */
function waited(): number {
  try {
    return Number(/some .*total=(\d+)/.exec(readFileSync("/proc/pressure/cpu", "utf8"))?.[1]) / 1_000;
  } catch {
    return Number.NaN;
  }
}

/** Returns what says, at the end of a bench, how busy the machine was: what else runs on it makes every figure worse. */
export function watchMachine(): () => Readonly<Record<string, number | null>> {
  const began = { at: performance.now(), waited: waited() };
  return () => {
    const share = (waited() - began.waited) / (performance.now() - began.at);
    return {
      cores: availableParallelism(),
      load_average_5m: Number(loadavg()[1]?.toFixed(1)),
      processor_short_percent: Number.isNaN(share) ? null : Math.round(100 * share),
    };
  };
}

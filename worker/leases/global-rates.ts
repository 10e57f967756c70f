import type { StorePort } from "../ports.ts";
import { RATE_SCRIPT } from "./scripts.ts";

/** A rate that all workers of a store share. */
export interface GlobalRate {
  readonly perSecond: number;
  /** How many may start at once after a pause; default 1. */
  readonly burst: number;
}

export interface GlobalRates {
  /** Takes the next free place of a key; resolves with how long it is until then, ms, or undefined when that is too far off to promise. */
  take(key: string, rate: GlobalRate): Promise<number | undefined>;
}

/** Places further off are not given away, ms: a rate may be raised meanwhile. */
const HORIZON_MS = 3_600_000;

const rateKey = (key: string): string => `longshore:rate:{${key}}`;

/** Exact over all workers: places are given out by Redis, by its own clock. Never more starts than the rate, whatever is repeated or lost. */
export function openGlobalRates(store: Pick<StorePort, "run">): GlobalRates {
  return {
    async take(key, { perSecond, burst }) {
      const wait = Number(await store.run(RATE_SCRIPT, [rateKey(key)], [Math.ceil(1_000_000 / perSecond), burst, HORIZON_MS]));
      return wait < 0 ? undefined : wait;
    },
  };
}

import { heartbeatsKey, type PoolName } from "../../../worker/contract/names.ts";
import type { StorePort } from "../../adapters/ports.ts";
import { errorFields } from "../../runtime/log.ts";
import { type Beats, hear, NO_BEATS } from "./heartbeats.ts";

/** The heartbeats in one store. No call throws: a failure is in `failure`, and what was heard grows old. */
export interface StoreSensor extends AsyncDisposable {
  /** Reads the heartbeats of all these pools in one round trip. */
  listen(pools: readonly PoolName[], now: () => number): Promise<void>;
  beats(pool: PoolName): Beats;
  readonly failure: string | undefined;
}

export function createStoreSensor(store: StorePort): StoreSensor {
  let heard = new Map<string, Beats>();
  let failure: string | undefined;
  return {
    async listen(pools, now) {
      const keys = pools.map(heartbeatsKey);
      try {
        const hashes = await store.readHashes(keys);
        const read = now();
        // Pools that are not asked for any more are forgotten.
        heard = new Map(keys.map((key, index) => [key, hear(heard.get(key) ?? NO_BEATS, hashes[index] ?? {}, read)]));
        failure = undefined;
      } catch (error) {
        failure = `the heartbeats cannot be read: ${errorFields(error).error}`;
      }
    },
    beats: (pool) => heard.get(heartbeatsKey(pool)) ?? NO_BEATS,
    get failure() {
      return failure;
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

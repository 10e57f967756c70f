import { decompress } from "../compression.ts";
import type { StorePort } from "../ports.ts";
import { decodeResult, resultKey, type StoredResult } from "../protocol/result.ts";

/** The results of tasks that have one, by id. Throws TypeError for one that is compressed in a way that is not known here. */
export async function readResults(store: StorePort, ids: readonly string[]): Promise<ReadonlyMap<string, StoredResult>> {
  const rows = await store.read(ids.map(resultKey));
  return new Map(rows.flatMap((row, at) => (row === undefined ? [] : [[ids[at] ?? "", decodeResult(row, decompress)] as const])));
}

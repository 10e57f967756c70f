import type { StorePort } from "../ports.ts";
import { decodeResult, resultKey, type StoredResult } from "../protocol/result.ts";

/** The results of tasks that have one, by id. Throws TypeError for one that another program compressed. */
export async function readResults(store: StorePort, ids: readonly string[]): Promise<ReadonlyMap<string, StoredResult>> {
  const rows = ids.length === 0 ? [] : await store.command("MGET", ...ids.map(resultKey));
  const found = Array.isArray(rows) ? (rows as readonly unknown[]) : [];
  return new Map(found.flatMap((row, at) => (typeof row === "string" ? [[ids[at] ?? "", decodeResult(row)] as const] : [])));
}

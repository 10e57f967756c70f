import type { Stored } from "./object-store.ts";

/** What the Celery client got for one task. */
export interface ClientResult {
  readonly task_id: string;
  readonly target: string;
  readonly state: string;
  readonly result: { readonly target: string; readonly sha256: string; readonly bytes: number } | null;
  readonly error: string | null;
}

export interface Verdict {
  readonly ok: boolean;
  readonly tasks: number;
  readonly succeeded: number;
  readonly effectsOnce: number;
  /** One sentence per thing that is wrong. */
  readonly problems: readonly string[];
}

/**
 * Holds three witnesses against each other: what the client was told, what the object store received, what lies on the disk.
 * `fileDigests`: sha256 by file name. Everything must be there once and be the same.
 */
export function verify(
  expected: readonly string[],
  results: readonly ClientResult[],
  ledger: readonly Stored[],
  fileDigests: ReadonlyMap<string, string>,
): Verdict {
  const problems: string[] = [];
  const byTarget = Map.groupBy(results, (result) => result.target);
  const stored = Map.groupBy(ledger, (entry) => entry.name);
  let succeeded = 0;
  let effectsOnce = 0;
  for (const target of expected) {
    const [result, ...more] = byTarget.get(target) ?? [];
    const puts = stored.get(target) ?? [];
    if (puts.length === 1) effectsOnce += 1;
    else problems.push(`${target}: stored ${puts.length} times, expected once`);
    if (result === undefined || more.length > 0)
      problems.push(`${target}: the client has ${more.length + (result ? 1 : 0)} results, expected one`);
    else if (result.state !== "SUCCESS" || result.result === null)
      problems.push(`${target}: the client got ${result.state} (${result.error ?? "no error"}), expected SUCCESS`);
    else if (result.result.sha256 !== fileDigests.get(target))
      problems.push(`${target}: the result's sha256 is not that of the file on disk`);
    else succeeded += 1;
  }
  for (const name of stored.keys()) if (!expected.includes(name)) problems.push(`${name}: stored, but never asked for`);
  return { ok: problems.length === 0, tasks: expected.length, succeeded, effectsOnce, problems };
}

import { tmpdir } from "node:os";
import { join } from "node:path";
import { broker } from "../cluster/cluster.ts";
import { excludedIds } from "./exclusions.ts";
import { type Outcome, runShard } from "./shard.ts";
import { SLOW } from "./slow.ts";
import { suiteSource } from "./source.ts";

export interface SuiteOptions {
  /** How many run side by side. */
  readonly shards: number;
  /** Also the tests that take longest, which add minutes. */
  readonly slow: boolean;
  /** Also the tests that cannot be meant for another worker. */
  readonly all?: boolean;
  /** Handed to pytest. */
  readonly pytest?: readonly string[];
}

export interface SuiteRun {
  readonly outcomes: readonly Outcome[];
  /** Logs of pytest and of the workers. */
  readonly folder: string;
}

/** Runs Celery's integration suite against our worker, split over virtual hosts and Redis servers. Throws when it cannot even begin. */
export async function runSuite({ shards: of, slow, all = false, pytest = [] }: SuiteOptions): Promise<SuiteRun> {
  const [source, shared] = await Promise.all([suiteSource(), broker()]);
  const folder = join(tmpdir(), `longshore-celery-suite-${process.pid}`);
  const excluded = [...(all ? [] : excludedIds()), ...(slow ? [] : SLOW)];
  const one = (index: number): Promise<readonly Outcome[]> => runShard({ index, of, source, broker: shared, folder, excluded, pytest });
  const outcomes = await Promise.all(Array.from({ length: of }, (_, index) => one(index)));
  return { outcomes: outcomes.flat(), folder };
}

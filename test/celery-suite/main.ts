import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { broker } from "../cluster/cluster.ts";
import { EXCLUDED } from "./exclusions.ts";
import { table } from "./report.ts";
import { runShard } from "./shard.ts";
import { suiteSource } from "./source.ts";

/**
 * `npm run test:celery`: the integration suite that Celery itself ships, against our worker. What stands after `--` goes to pytest,
 * so `npm run test:celery -- --shards 1 -- -k test_simple_chain` runs one test. Ends with `N passed, N failed` alone on a line.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { shards: { type: "string", default: "4" }, all: { type: "boolean", default: false } },
});
const [source, shared] = await Promise.all([suiteSource(), broker()]);
const of = Number(values.shards);
const folder = join(tmpdir(), `longshore-celery-suite-${process.pid}`);
const excluded = values.all ? [] : Object.keys(EXCLUDED);
const started = performance.now();
const outcomes = (
  await Promise.all(
    Array.from({ length: of }, (_, index) => runShard({ index, of, source, broker: shared, folder, excluded, pytest: positionals })),
  )
).flat();
const { text, failed } = table(outcomes, excluded);
const seconds = Math.round((performance.now() - started) / 1_000);
process.stdout.write(`${text}\nlogs: ${folder}, ${seconds} s\n`);
process.stdout.write(`${outcomes.filter(({ outcome }) => outcome === "passed").length} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);

import { parseArgs } from "node:util";
import { excludedIds } from "./exclusions.ts";
import { table } from "./report.ts";
import { runSuite } from "./suite.ts";

/**
 * `npm run test:celery`: the integration suite that Celery itself ships, against our worker. What stands after a second `--` goes to
 * pytest: `npm run test:celery -- --shards 1 -- -k test_simple_chain` runs one test. Ends with `N passed, N failed` alone on a line.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { shards: { type: "string", default: "6" }, all: { type: "boolean", default: false } },
});
const started = performance.now();
const { outcomes, folder } = await runSuite({ shards: Number(values.shards), slow: true, all: values.all, pytest: positionals });
const { text, passed, failed } = table(outcomes, values.all ? [] : excludedIds());
const seconds = Math.round((performance.now() - started) / 1_000);
process.stdout.write(`${text}\nlogs: ${folder}, ${seconds} s\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);

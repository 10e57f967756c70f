import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * `npm test`: every tier, unit to e2e. The tiers that need servers start what they need themselves (test/cluster); arguments go to
 * vitest, so `npm test -- --project unit` runs one tier. Ends with `N passed, N failed` alone on a line.
 */
interface VitestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const folder = await mkdtemp(join(tmpdir(), "longshore-test-"));
const file = join(folder, "results.json");
const vitest = spawn("vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...process.argv.slice(2)], {
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => vitest.kill(signal));
const code = await new Promise<number>((resolve) =>
  vitest.once("error", () => resolve(127)).once("exit", (status) => resolve(status ?? 1)),
);
const text = await readFile(file, "utf8").catch(() => undefined);
await rm(folder, { recursive: true });

if (text === undefined) {
  process.stdout.write("vitest left no results: see above\n0 passed, 1 failed\n");
  process.exit(1);
}
const summary = JSON.parse(text) as VitestSummary;
// A file that does not even load has no failed test of its own, and an error outside of any test has none either: both count as one.
const failed = Math.max(summary.numFailedTests, code === 0 ? 0 : 1);
const skipped = summary.numPendingTests + summary.numTodoTests;
process.stdout.write(`${summary.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exit(failed === 0 && code === 0 ? 0 : 1);

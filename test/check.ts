import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** `npm run check`: the fast loop. Nothing here needs a server, root or the network; each step stands alone, all are run. */
const paths = ["operator", "worker", "test", "manifests"].filter((path) => existsSync(path));
const STEPS: readonly [what: string, command: string, ...args: string[]][] = [
  ["types", "tsc", "--noEmit"],
  ["lint and rooms", "oxlint", "--type-aware", "--deny-warnings", ...paths],
  ["formatting", "biome", "ci", "--colors=off", ...paths],
  ["dead code", "knip", "--no-progress"],
  ["generated files", "node", "operator/codegen/main.ts", "--verify"],
  ["unit tests", "vitest", "run", "--project", "unit", "--reporter=dot"],
];

/** Runs one step; its output is shown only when it fails. */
async function run(command: string, args: readonly string[]): Promise<{ ok: boolean; output: string }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.on("error", () => resolve(false));
  child.on("exit", (code) => resolve(code === 0));
  const ok = await promise;
  return { ok, output: Buffer.concat(chunks).toString() };
}

let failed = 0;
for (const [what, command, ...args] of STEPS) {
  const start = performance.now();
  const { ok, output } = await run(command, args);
  process.stdout.write(`${ok ? "ok  " : "FAIL"} ${what} (${((performance.now() - start) / 1_000).toFixed(1)} s)\n`);
  if (!ok) {
    failed += 1;
    process.stdout.write(`${output.trimEnd()}\n`);
  }
}
process.exitCode = failed === 0 ? 0 : 1;

import { parseArgs } from "node:util";
import { watchMachine } from "./machine.ts";
import { printable, type Report } from "./report.ts";

/** Every bench, one line each: `npm run bench -- <name> [--json] [--trials N]`. */
const BENCHES: Readonly<Record<string, () => Promise<(options: { trials: number | undefined }) => Promise<Report>>>> = {
  reaction: async () => (await import("./reaction.ts")).reaction,
  drain: async () => (await import("./drain.ts")).drain,
  pools: async () => (await import("./pools.ts")).pools,
  worker: async () => (await import("./worker.ts")).worker,
  topology: async () => (await import("./topology.ts")).topology,
  traces: async () => (await import("./traces.ts")).traces,
  schedules: async () => (await import("./schedules.ts")).schedules,
  footprint: async () => (await import("./footprint.ts")).footprint,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, trials: { type: "string" } },
});
const open = BENCHES[positionals[0] ?? ""];
if (open === undefined) {
  process.stderr.write(`which bench? One of: ${Object.keys(BENCHES).join(", ")}\n`);
  process.exit(2);
}
const bench = await open();
const machine = watchMachine();
const { series, settings, ...measured } = await bench({ trials: values.trials === undefined ? undefined : Number(values.trials) });
const report = { ...measured, settings: { ...settings, machine: machine() } };
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : printable({ ...report, ...(series && { series }) }));
process.exit(0);

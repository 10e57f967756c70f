import { parseArgs } from "node:util";
// A command is a composition root of its own.
// oxlint-disable-next-line no-restricted-imports
import { openDeadLetters } from "../adapters/rabbitmq/dead-letters.ts";
import { redriveLetters } from "../redrive/run.ts";
import { UsageError } from "./yaml-source.ts";

export const REDRIVE_USAGE = `longshore redrive --queue <dead letters> [--task 'orders.*'] [--reason failed] [--to <queue>] [--limit 100] [--dry-run] [--force]
  Sends dead letters back to the queues that they came from. The broker's URI is read from CELERY_BROKER_URL.
  --limit   most messages that are moved (default 100)      --scan   most that are looked at (default 10,000)
  --force   also those that died more than a day ago: workers have forgotten what they did, and may do it again
`;

const OPTIONS = {
  queue: { type: "string" },
  task: { type: "string" },
  reason: { type: "string" },
  to: { type: "string" },
  limit: { type: "string", default: "100" },
  scan: { type: "string", default: "10000" },
  "dry-run": { type: "boolean", default: false },
  force: { type: "boolean", default: false },
} as const;

function count(name: string, value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= 1_000_000) return number;
  throw new UsageError(`--${name}: found ${value}, expected a whole number from 1 to 1,000,000`);
}

/** Moves dead letters back. Never shows a message's arguments, nor the broker's URI. Throws UsageError in plain words. */
export async function redrive(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  print: (text: string) => void,
): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const { queue, task, reason, to, force, "dry-run": dryRun } = values;
  const url = env["CELERY_BROKER_URL"];
  if (queue === undefined) throw new UsageError(`--queue: not given, expected the queue of dead letters\n${REDRIVE_USAGE}`);
  if (url === undefined) throw new UsageError("CELERY_BROKER_URL: not set, expected amqp(s)://user:password@host:port/vhost");
  const bounds = { limit: count("limit", values.limit), scan: count("scan", values.scan), dryRun };
  const filter = {
    from: queue,
    force,
    ...(task !== undefined && { task }),
    ...(reason !== undefined && { reason }),
    ...(to !== undefined && { to }),
  };
  try {
    await using letters = await openDeadLetters(url, queue);
    const report = await redriveLetters(letters, filter, bounds, Date.now, (plan) => {
      if (plan.do === "keep") return;
      const { task, id, reason, error } = plan.death;
      print(
        `${dryRun ? "would send" : "sent"} ${task} ${id} to ${plan.queue}  (${[reason, error].filter((part) => part !== "").join(": ")})\n`,
      );
    });
    print(`${report.moved} ${dryRun ? "would be moved" : "moved"}, ${report.kept} stay\n`);
    for (const [why, many] of report.reasons) print(`  ${many}: ${why}\n`);
  } catch (error) {
    throw new UsageError(`redrive from ${queue}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

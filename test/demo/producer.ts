import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ClientResult } from "./verify.ts";

export interface Order {
  readonly exchange: string;
  readonly routing_key: string;
  readonly tasks: readonly { readonly source: string; readonly target: string; readonly height: number }[];
  /** Seconds for all results together. */
  readonly timeout: number;
}

type Line = { sent: number } | { result: ClientResult } | { end: true };

/**
 * Runs the Celery client of `produce.py` to its end. Throws when it stops without saying that it was at its end; what it printed on
 * stderr goes to ours.
 */
export async function produce(
  python: string,
  urls: { broker: string; results: string },
  order: Order,
  onSent: (count: number) => void,
  onResult: (result: ClientResult) => void,
): Promise<void> {
  const child = spawn(python, [join(import.meta.dirname, "produce.py")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, CELERY_BROKER_URL: urls.broker, CELERY_RESULT_BACKEND: urls.results },
  });
  process.once("exit", () => child.kill());
  const exited = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("exit", (code) => resolve(code)));
  child.stdin.end(JSON.stringify(order));
  const [code, ended] = await Promise.all([exited, readLines()]);
  if (!ended || code !== 0) throw new Error(`the Celery client stopped early (exit status ${code}): its own words stand above`);

  async function readLines(): Promise<boolean> {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Line;
      if ("sent" in line) onSent(line.sent);
      else if ("result" in line) onResult(line.result);
      else return true;
    }
    return false;
  }
}

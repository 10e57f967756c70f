import { setTimeout as delay } from "node:timers/promises";
import { inParallel } from "../../../operator/runtime/in-parallel.ts";
import type { OperatorProcess } from "../../integration/operator-process.ts";
import type { Lab } from "./lab.ts";

/** New objects are applied this often while many old ones are being worked off, ms. */
const NEW_EVERY_MS = 100;

export interface ColdStart {
  readonly operator: OperatorProcess;
  readonly declaredSeconds: number;
  readonly readySeconds: number;
  /** Of objects that were applied meanwhile: from the API server's answer to the broker's event, ms. */
  readonly meanwhileMs: readonly number[];
}

/** Objects that are there before the operator: how long from its start until all are on the broker, and until all are Ready. */
export async function coldStart(lab: Lab, prefix: string, queues: number, bindings: number, meanwhile: boolean): Promise<ColdStart> {
  await inParallel(
    Array.from({ length: queues }, (_, n) => n),
    16,
    async (n) => {
      await lab.createQueue(`${prefix}-${n}`);
      if (n < bindings) await lab.createBinding(`${prefix}-${n}`);
    },
  );
  const made = lab.broker.made(`${prefix}-`, queues);
  const started = performance.now();
  const operator = await lab.stage.startOperator();
  const all = Promise.all([lab.queues.count(`${prefix}-`, queues), lab.bindings.count(`${prefix}-`, bindings)]);
  const stop = new AbortController();
  const applying = meanwhile ? applyNew(lab, `new-${prefix}`, stop.signal) : Promise.resolve([]);
  const declared = await made;
  const ready = Math.max(...(await all));
  stop.abort();
  const meanwhileMs = await applying;
  // Who measures a restart next counts on what is converged.
  await lab.queues.count(`new-${prefix}-`, meanwhileMs.length);
  const seconds = (at: number): number => (at - started) / 1_000;
  return { operator, declaredSeconds: seconds(declared), readySeconds: seconds(ready), meanwhileMs };
}

async function applyNew(lab: Lab, prefix: string, signal: AbortSignal): Promise<readonly number[]> {
  const waits: Promise<number>[] = [];
  while (!signal.aborted) {
    const name = `${prefix}-${waits.length}`;
    const told = lab.broker.told(name);
    await lab.createQueue(name);
    const accepted = performance.now();
    waits.push(told.then((at) => at - accepted));
    await delay(NEW_EVERY_MS);
  }
  return Promise.all(waits);
}

/** How long an operator takes to look at everything anew, what it asks the broker, and how many objects it writes to. */
export async function restart(lab: Lab, marker: string): Promise<{ seconds: number; requests: number; writes: number }> {
  // It is Ready only after the operator has looked at everything.
  await lab.createQueue(marker);
  await delay(2_000);
  const [asked, heard] = [lab.stage.http.requests(), lab.queues.heard];
  const operator = await lab.stage.startOperator();
  const led = performance.now();
  const seconds = ((await lab.queues.ready(marker)) - led) / 1_000;
  const requests = lab.stage.http.requests() - asked;
  await delay(2_000);
  // Beside the status of the marker itself.
  const writes = lab.queues.heard - heard - 1;
  await operator.end("SIGTERM");
  return { seconds, requests, writes };
}

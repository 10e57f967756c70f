import type { Clock } from "../runtime/clock.ts";
import type { Actor } from "./actor.ts";

/** What arrives within this time is one pass, ms. */
const COALESCE_MS = 4;

export interface ActorLoop extends AsyncDisposable {
  /** Something changed: a member, when an id is given, else the broker or its Secret. */
  wake(id?: string): void;
}

/** Runs an actor whenever it is woken and whenever it is due, one pass at a time. The first pass comes by itself. Disposing waits for its end. */
export function startLoop(actor: Actor, clock: Clock, afterPass: () => void): ActorLoop {
  let fresh = new Set<string>();
  let timer: { readonly at: number; readonly handle: Disposable } | undefined;
  let running: Promise<void> | undefined;
  let awake = false;
  let stopped = false;
  /** What came while a pass ran, and the taking of it, which the next pass waits for. */
  let late = new Set<string>();
  let beside: { readonly timer: Disposable; done?: Promise<void> } | undefined;

  const schedule = (ms: number): void => {
    const at = clock.elapsed() + ms;
    if (timer !== undefined && timer.at <= at) return;
    timer?.handle[Symbol.dispose]();
    timer = { at, handle: clock.after(ms, run) };
  };
  const pass = async (): Promise<void> => {
    const changed = fresh;
    fresh = new Set();
    late = new Set();
    awake = false;
    await beside?.done;
    const next = await actor.runOnce(changed);
    running = undefined;
    if (stopped) return;
    afterPass();
    if (!stopped) schedule(awake ? COALESCE_MS : next);
  };
  const run = (): void => {
    timer = undefined;
    if (!stopped) running ??= pass();
  };
  const takeLate = (): void => {
    beside ??= { timer: clock.after(COALESCE_MS, () => void runBeside()) };
  };
  const runBeside = async (): Promise<void> => {
    const came = late;
    late = new Set();
    if (beside !== undefined && running !== undefined && !stopped) await (beside.done = actor.beside(came));
    beside = undefined;
    if (late.size > 0 && running !== undefined) takeLate();
  };
  schedule(COALESCE_MS);

  return {
    wake(id) {
      if (stopped) return;
      if (id !== undefined) fresh.add(id);
      awake = true;
      if (running === undefined) return schedule(COALESCE_MS);
      if (id === undefined) return;
      late.add(id);
      takeLate();
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      actor[Symbol.dispose]();
      timer?.handle[Symbol.dispose]();
      beside?.timer[Symbol.dispose]();
      await Promise.all([running, beside?.done]);
    },
  };
}

import type { Clock } from "./clock.ts";

export interface Pulse extends Disposable {
  /** Say it once per round of the loop. */
  readonly beat: () => void;
}

/** Knows which loops are alive: each says so once per round. A loop that is disposed of is not expected to. */
export interface Liveness {
  /** @param silenceMs how long the loop may say nothing: several rounds, and the longest that one may take */
  watch(name: string, silenceMs: number): Pulse;
  /** Loops that have said nothing for too long, with how long, in words. */
  readonly stuck: () => readonly string[];
}

export function createLiveness(clock: Clock): Liveness {
  const loops = new Map<symbol, { readonly name: string; readonly silenceMs: number; at: number }>();
  return {
    watch(name, silenceMs) {
      const id = Symbol(name);
      const loop = { name, silenceMs, at: clock.elapsed() };
      loops.set(id, loop);
      return {
        beat() {
          loop.at = clock.elapsed();
        },
        [Symbol.dispose]: () => loops.delete(id),
      };
    },
    stuck: () =>
      [...loops.values()].flatMap(({ name, silenceMs, at }) => {
        const silent = clock.elapsed() - at;
        return silent > silenceMs ? [`${name}: silent for ${Math.round(silent / 1_000)} s`] : [];
      }),
  };
}

import { expect, test } from "vitest";
import { createFakeClock } from "../../test/fakes/clock.ts";
import { createBrokerLoop } from "./loop.ts";
import type { BrokerSensor } from "./sense/broker-sensor.ts";

/** When the looks of a loop begin, ms, at a broker that takes its time. */
async function looks(takesMs: number, withinMs: number): Promise<readonly number[]> {
  const clock = createFakeClock();
  const times: number[] = [];
  const sensor = {
    look: (_: readonly string[], now: () => number) => {
      times.push(now());
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.after(takesMs, resolve);
      return promise;
    },
    lookSlowly: () => Promise.resolve(),
  };
  const loop = createBrokerLoop({
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest is not asked for
    sensor: sensor as unknown as BrokerSensor,
    pools: () => [],
    evaluate: () => ({ pending: false, acted: Promise.resolve() }),
    clock,
  });
  loop.start();
  await clock.advance(withinMs);
  return times;
}

test.for([
  ["at once", 0, [200, 400, 600, 800, 1_000]],
  ["in less than the pause: the pace is the same", 120, [200, 400, 600, 800, 1_000]],
  ["slowly: some pause is left", 300, [200, 550, 900]],
] as const)("a broker that answers %s", async ([, takesMs, expected]) => {
  expect(await looks(takesMs, 1_000)).toEqual(expected);
});

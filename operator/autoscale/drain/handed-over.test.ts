import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/fakes/clock.ts";
import { createHandedOver } from "./handed-over.ts";

test("a pod for which the scale was lowered may go at any moment until it is gone, or 15 s are over", async () => {
  const clock = createFakeClock();
  const handedOver = createHandedOver(clock);
  const among = (...living: readonly string[]) => [...handedOver.among(new Set(living))];
  expect(among("a", "b")).toEqual([]);
  handedOver.give(["a", "b"]);
  await clock.advance(14_999);
  expect(among("a", "c")).toEqual(["a"]);
  await clock.advance(1);
  expect(among("a", "b", "c")).toEqual([]);
});

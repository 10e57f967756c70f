import { expect, test } from "vitest";
import { byteCount, durationMs } from "./quantities.ts";

const durations: readonly [text: string, ms: number][] = [
  ["500ms", 500],
  ["90s", 90_000],
  ["15m", 900_000],
  ["24h", 86_400_000],
  ["7d", 604_800_000],
  ["1h30m", 5_400_000],
  ["0s", 0],
];
test.for(durations)("%s is %d ms", ([text, ms]) => expect(durationMs(text)).toBe(ms));
test.for(["", "5", "s", "1.5h", "1h 30m", "-1s", "1w"])("%j is no duration", (text) => expect(() => durationMs(text)).toThrow(RangeError));

const sizes: readonly [text: string | number, count: number][] = [
  ["0", 0],
  ["1000000000", 1_000_000_000],
  ["512Mi", 536_870_912],
  ["1Gi", 1_073_741_824],
  ["5G", 5_000_000_000],
  ["1k", 1_000],
  [1_000_000_000, 1_000_000_000],
];
test.for(sizes)("%s is %d bytes", ([text, count]) => expect(byteCount(text)).toBe(count));
test.for(["", "Mi", "1.5Gi", "1KB", "-1"])("%j is no quantity of bytes", (text) => expect(() => byteCount(text)).toThrow(RangeError));

import { expect, test } from "vitest";
import { lastArrival, traceOf } from "./trace.ts";
import { parseTrace } from "./trace-csv.ts";

test("rows spread their tasks evenly until the next row; heads, comments and empty lines are skipped", () => {
  const rows = parseTrace("seconds,arrivals,service_seconds\n# a comment\n\n0,2,0.5\r\n10,1,\n30,0\n", "a.csv");
  if ("problem" in rows) throw new Error(rows.problem);
  const trace = traceOf(rows, 3);
  expect([...trace.arrivedAt]).toEqual([2_500, 7_500, 20_000]);
  expect([...trace.serviceMs]).toEqual([500, 500, 3_000]);
  expect(lastArrival(trace)).toBe(20_000);
});

test.for([
  ["0,1\n0,1", 'a.csv:2: seconds is "0"; expected more than 0'],
  ["x,1", 'a.csv:1: seconds is "x"'],
  ["0,1.5", 'a.csv:1: arrivals is "1.5"'],
  ["0,-1", 'a.csv:1: arrivals is "-1"'],
  ["0,1,0", 'a.csv:1: service_seconds is "0"'],
  ["0,1,2,3", "a.csv:1: 4 fields"],
  ["", "a.csv: no arrivals"],
  ["0,30000000", "more than 20000000 arrivals"],
])("%j is refused, with file, line and field", ([text, problem]) => {
  expect(parseTrace(text ?? "", "a.csv")).toMatchObject({ problem: expect.stringContaining(problem ?? "") });
});

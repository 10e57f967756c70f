import { expect, test } from "vitest";
import type { Stored } from "./object-store.ts";
import { type ClientResult, verify } from "./verify.ts";

const put = (name: string): Stored => ({ name, bytes: 3, sha256: "aa" });
const won = (target: string): ClientResult => ({
  task_id: target,
  target,
  state: "SUCCESS",
  result: { target, bytes: 3, sha256: "aa" },
  error: null,
});
const files = new Map([["a.mp4", "aa"]]);

const cases: readonly [why: string, results: ClientResult[], ledger: Stored[], files: Map<string, string>, problem: RegExp | undefined][] =
  [
    ["everything once is well", [won("a.mp4")], [put("a.mp4")], files, undefined],
    ["a task that ran twice is found", [won("a.mp4")], [put("a.mp4"), put("a.mp4")], files, /stored 2 times/],
    ["a task that never ran is found", [won("a.mp4")], [], files, /stored 0 times/],
    ["a missing result is found", [], [put("a.mp4")], files, /0 results/],
    ["a failure is found", [{ ...won("a.mp4"), state: "FAILURE", result: null, error: "boom" }], [put("a.mp4")], files, /FAILURE \(boom\)/],
    ["a result that is not the file's is found", [won("a.mp4")], [put("a.mp4")], new Map([["a.mp4", "bb"]]), /not that of the file/],
    ["an object nobody asked for is found", [won("a.mp4")], [put("a.mp4"), put("z.mp4")], files, /never asked for/],
  ];
test.for(cases)("%s", ([, results, ledger, digests, problem]) => {
  const verdict = verify(["a.mp4"], results, ledger, digests);
  expect(verdict.ok).toBe(problem === undefined);
  if (problem) expect(verdict.problems.join("\n")).toMatch(problem);
});

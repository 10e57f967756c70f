import type { Outcome } from "./shard.ts";

/** `test_canvas.py` of `t/integration/test_canvas.py::…`. */
const fileOf = (id: string): string => (id.split("::")[0] ?? "").split("/").at(-1) ?? "";

/** Counts per file, and what failed with the last line of why. `xpassed` is what Celery marks as an expected failure, most of it for other brokers. */
export function table(
  outcomes: readonly Outcome[],
  excluded: readonly string[],
): { readonly text: string; readonly passed: number; readonly failed: number } {
  const files = [...new Set([...outcomes.map(({ id }) => fileOf(id)), ...excluded.map(fileOf)])].toSorted();
  const rows = files.map((file) => {
    const own = outcomes.filter(({ id }) => fileOf(id) === file);
    const count = (wanted: Outcome["outcome"]): number => own.filter(({ outcome }) => outcome === wanted).length;
    const left = excluded.filter((id) => fileOf(id) === file).length;
    const repeated = own.filter(({ reruns }) => reruns > 0).length;
    const seconds = Math.round(own.reduce((sum, outcome) => sum + outcome.seconds, 0));
    const more = `${count("xpassed")} passed against Celery's expectation, ${count("skipped")} skipped by Celery, ${left} excluded`;
    return `${file}: ${count("passed")} passed, ${count("failed")} failed; ${more}; ${repeated} passed when repeated, ${seconds} s`;
  });
  const bad = outcomes.filter(({ outcome }) => outcome === "failed");
  const reasons = bad.map(({ id, reason }) => `FAILED ${id}\n    ${reason.trimEnd().split("\n").at(-1) ?? ""}`);
  const passed = outcomes.filter(({ outcome }) => outcome === "passed").length;
  return { text: [...reasons, ...rows].join("\n"), passed, failed: bad.length };
}

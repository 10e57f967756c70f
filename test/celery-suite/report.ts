import type { Outcome } from "./shard.ts";

const fileOf = (id: string): string => (id.split("::")[0] ?? "").split("/").at(-1) ?? "";

/** Counts per file, and what failed with the last line of why. */
export function table(outcomes: readonly Outcome[], excluded: readonly string[]): { readonly text: string; readonly failed: number } {
  const files = [...new Set([...outcomes.map(({ id }) => fileOf(id)), ...excluded.map(fileOf)])].toSorted();
  const rows = files.map((file) => {
    const own = outcomes.filter(({ id }) => fileOf(id) === file);
    const count = (wanted: Outcome["outcome"]): number => own.filter(({ outcome }) => outcome === wanted).length;
    const left = excluded.filter((id) => fileOf(id) === file).length;
    const reruns = own.reduce((sum, { reruns }) => sum + reruns, 0);
    const seconds = Math.round(own.reduce((sum, { seconds }) => sum + seconds, 0));
    return `${file}: ${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped by Celery, ${left} excluded, ${reruns} reruns, ${seconds} s`;
  });
  const bad = outcomes.filter(({ outcome }) => outcome === "failed");
  const reasons = bad.map(({ id, reason }) => `FAILED ${id}\n    ${reason.trimEnd().split("\n").at(-1) ?? ""}`);
  return { text: [...reasons, ...rows].join("\n"), failed: bad.length };
}

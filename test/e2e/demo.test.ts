import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../product/kubectl.ts";

test("the demo passes: every result there, every effect once, from no replica to several and back", () => {
  const demo = spawnSync(process.execPath, ["test/demo/main.ts", "--tasks", "150"], { cwd: root, encoding: "utf8", timeout: 170_000 });
  expect(demo.status, `${demo.stdout}\n${demo.stderr}`).toBe(0);
  const { verdict, samples } = JSON.parse(readFileSync(join(root, "demo-report", "report.json"), "utf8"));
  expect(verdict).toMatchObject({ ok: true, tasks: 150, succeeded: 150, effectsOnce: 150 });
  expect(Math.max(...samples.map(({ desired }: { desired: number }) => desired))).toBeGreaterThanOrEqual(2);
  expect(samples.at(-1)).toMatchObject({ desired: 0 });
});

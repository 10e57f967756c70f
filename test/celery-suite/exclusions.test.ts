import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { EXCLUDED } from "./exclusions.ts";

test("the guide lists every test that is not run, and why", async () => {
  const guide = await readFile(new URL("../../docs/celery-suite.md", import.meta.url), "utf8");
  const rows = Object.entries(EXCLUDED).flatMap(([file, tests]) =>
    Object.entries(tests).map(([name, reason]) => `| \`${file}\` | \`${name}\` | ${reason} |`),
  );
  const listed = guide.split("\n").filter((line) => line.startsWith("| `test_"));
  expect(listed).toEqual(rows);
});

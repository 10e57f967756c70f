import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { stripTypes } from "./strip-types.ts";

test("types are gone, places are as they were; what is no TypeScript, or cannot be stripped, is left to Node", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "longshore-strip-")));
  try {
    expect(await stripTypes(folder)).toEqual(new Map());
    const source = "const one: number = 1;\nexport const two = one + (1 as number);\n";
    await writeFile(join(folder, "good.ts"), source);
    await writeFile(join(folder, "_shared.mts"), "export {};\n");
    await writeFile(join(folder, "plain.js"), "export {};\n");
    await writeFile(join(folder, "broken.ts"), "export const = ;\n");
    const stripped = await stripTypes(folder);
    const url = (file: string): string => pathToFileURL(join(folder, file)).href;
    expect([...stripped.keys()].toSorted()).toEqual([url("_shared.mts"), url("good.ts")]);
    const text = stripped.get(url("good.ts")) ?? "";
    expect(text).not.toContain("number");
    expect(text.indexOf("two")).toBe(source.indexOf("two"));
  } finally {
    await rm(folder, { recursive: true });
  }
});

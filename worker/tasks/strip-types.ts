import { execFile } from "node:child_process";
import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** What cannot be stripped is left out: Node says why when it is imported. */
const PROGRAM = `
const { readFileSync } = require("node:fs");
const { stripTypeScriptTypes } = require("node:module");
const sources = [];
for (const [url, path] of JSON.parse(process.argv[1])) {
  try { sources.push([url, stripTypeScriptTypes(readFileSync(path, "utf8"))]); } catch {}
}
process.stdout.write(JSON.stringify(sources));`;

const MAX_BYTES = 64 * 1024 * 1024;

/**
 * The TypeScript modules of a folder as JavaScript, by URL, lines and columns as they were. A process of its own does it and ends: the compiler
 * inside Node would keep 16 MB of this one for good, and what a thread had of it as well. Empty where no process can be started: then Node
 * strips them itself when they are imported. Throws when the folder cannot be read.
 */
export async function stripTypes(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = (await readdir(folder)).filter((file) => /\.m?ts$/.test(file) && !file.startsWith("."));
  if (files.length === 0) return new Map();
  const paths = await Promise.all(files.map((file) => realpath(join(folder, file))));
  const modules = JSON.stringify(paths.map((path) => [pathToFileURL(path).href, path]));
  try {
    const options = { env: {}, maxBuffer: MAX_BYTES };
    const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", "--eval", PROGRAM, modules], options);
    return new Map(JSON.parse(stdout) as [string, string][]);
  } catch {
    // Not worth a word: the modules load all the same, only with more memory.
    return new Map();
  }
}

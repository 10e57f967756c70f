import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { generatedFiles } from "./files.ts";

/**
 * `npm run gen` writes what is generated; `npm run gen -- --verify` writes nothing and exits 1, naming the files that differ.
 * A file in a folder that is generated as a whole and that no kind stands for any more is removed.
 */
const ROOT = join(import.meta.dirname, "../..");
const OWN_FOLDERS = ["crds", "charts/longshore/templates/crds"];

const verify = process.argv.includes("--verify");
const { version } = packageJson;
const files = generatedFiles(version);
const drifted = (await Promise.all(files.map(async (file) => ((await current(file.path)) === file.text ? [] : [file])))).flat();
const orphans = (await Promise.all(OWN_FOLDERS.map(orphansIn))).flat();

if (verify) {
  for (const { path } of drifted) process.stderr.write(`${path} is not what the kinds say\n`);
  for (const path of orphans) process.stderr.write(`${path} belongs to no kind\n`);
  if (drifted.length + orphans.length > 0) process.stderr.write("run `npm run gen` and commit what it writes\n");
  process.exitCode = drifted.length + orphans.length > 0 ? 1 : 0;
} else {
  for (const { path, text } of drifted) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true });
    await writeFile(join(ROOT, path), text);
    process.stdout.write(`wrote ${path}\n`);
  }
  for (const path of orphans) {
    await rm(join(ROOT, path));
    process.stdout.write(`removed ${path}\n`);
  }
}

async function current(path: string): Promise<string | undefined> {
  return await readFile(join(ROOT, path), "utf8").catch(absent);
}

async function orphansIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(join(ROOT, folder)).catch(absent)) ?? [];
  return names.map((name) => `${folder}/${name}`).filter((path) => !files.some((file) => file.path === path));
}

/** A file that is not there is one to write; any other failure is for whoever runs this. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Some dependencies are CommonJS and ask for Node's own modules by `require`. */
const REQUIRE = 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/** Where Lua scripts lie; their names are unique, because the bundle has one folder for all. */
const SCRIPT_ROOMS = ["leases", "chords"] as const;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * Bundles the worker into a folder: `main.mjs` to run, `sdk.mjs` and `zod.mjs` for the users' task modules, which share their chunks with
 * `main.mjs` so that a class is one class, and the Lua scripts beside them. Replaces what the folder held. Throws on a build error.
 */
export async function bundleWorker(outdir: string): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  await build({
    entryPoints: {
      main: here("main.ts"),
      "child-main": here("pools/child-main.ts"),
      sdk: here("sdk.ts"),
      locks: here("locks.ts"),
      zod: here("../node_modules/zod/index.js"),
    },
    outdir,
    outExtension: { ".js": ".mjs" },
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: REQUIRE },
    logLevel: "warning",
  });
  for (const room of SCRIPT_ROOMS) {
    const scripts = (await readdir(here(room))).filter((file) => file.endsWith(".lua"));
    await Promise.all(scripts.map((file) => copyFile(here(`${room}/${file}`), join(outdir, file))));
  }
}

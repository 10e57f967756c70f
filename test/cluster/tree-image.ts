import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./commands.ts";
import { home } from "./home.ts";
import { provideImage } from "./images.ts";
import { rootfs, type Tree } from "./rootfs.ts";

export interface TreeImage {
  readonly name: string;
  /** The Debian tree, which the Dockerfile adds as `rootfs.tar`. */
  readonly tree: Tree;
  readonly dockerfile: string;
  /** What else the Dockerfile copies, by its name there; paths are asked for when the image is built. */
  readonly files: Readonly<Record<string, () => Promise<string>>>;
  /** Together with the Dockerfile's text this says whether the image is still the same. */
  readonly version: string;
}

/** Provides an image that is a Debian tree with a few files on top. Never pulls. */
export async function provideTreeImage({ name, tree, dockerfile, files, version }: TreeImage): Promise<string> {
  const key = createHash("sha256")
    .update(await readFile(dockerfile))
    .update(`\0${tree}\0${version}`)
    .digest("hex")
    .slice(0, 12);
  const context = join(home().cache, `context-${name.replace(":", "_")}`);
  const reference = await provideImage({
    name,
    key,
    async build() {
      await rm(context, { recursive: true, force: true });
      await mkdir(context, { recursive: true });
      const from = await rootfs(tree);
      await run("tar", ["--create", "--file", join(context, "rootfs.tar"), "--directory", from, "--exclude=./dev/*", "."], {
        step: `pack ${from}`,
      });
      for (const [file, path] of Object.entries(files))
        await run("cp", ["-a", await path(), join(context, file)], { step: `prepare ${file}` });
      return { dockerfile, context, buildArgs: {} };
    },
  });
  await rm(context, { recursive: true, force: true });
  return reference;
}

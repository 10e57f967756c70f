import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, isAbsolute, join, resolve } from "node:path";
import { run as execute } from "./commands.ts";
import { ctr } from "./containerd.ts";
import { externalKubeconfig } from "./external.ts";
import { home } from "./home.ts";
import { imageKey } from "./image-key.ts";
import { withLock } from "./lock.ts";
import { StepError, step } from "./progress.ts";
import { readJson, writeJson } from "./state.ts";

export interface ImageOptions {
  /** `longshore-worker` gets its content's hash as tag, so a changed image is a new name; `longshore-base:1` keeps the tag given. */
  readonly name: string;
  /** The Dockerfile's path, from the context or absolute. */
  readonly dockerfile: string;
  /** The folder that COPY and ADD read from. */
  readonly context: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** The paths in the context that matter; what the Dockerfile copies when left out. */
  readonly files?: readonly string[];
}

/**
 * Builds an image unless the same content was built before, makes it known to the cluster, and returns its full name.
 * Never pulls: a FROM names an image that was built here. Throws with the builder's last lines when the build fails.
 */
export async function buildImage({ name, dockerfile, context, buildArgs = {}, files }: ImageOptions): Promise<string> {
  const folder = resolve(context);
  const path = isAbsolute(dockerfile) ? dockerfile : join(folder, dockerfile);
  const key = imageKey({ dockerfile: path, context: folder, buildArgs: { ...buildArgs, ...builtFrom(buildArgs) }, files });
  return await provideImage({ name, key, build: async () => ({ dockerfile: path, context: folder, buildArgs }) });
}

/** An image among the build arguments counts with its content, not just with its name. */
function builtFrom(buildArgs: Readonly<Record<string, string>>): Record<string, string> {
  const known = Object.entries(buildArgs).map(
    ([arg, value]) => [`${arg} content`, readJson<{ key: string }>(builtRecord(value))?.key ?? ""] as const,
  );
  return Object.fromEntries(known.filter(([, key]) => key));
}

const imagesFolder = () => join(home().cache, "images");
const plain = (reference: string) => reference.replace(/^localhost\//, "").replaceAll(/[^A-Za-z0-9.-]/g, "_");
const builtRecord = (reference: string) => join(imagesFolder(), `${plain(reference)}.json`);

interface KeyedImage {
  readonly name: string;
  readonly key: string;
  /** Prepares the build; not called when the cache has the image. */
  readonly build: () => Promise<{
    readonly dockerfile: string;
    readonly context: string;
    readonly buildArgs: Readonly<Record<string, string>>;
  }>;
}

/** Provides an image whose content is known by a key: builds it when no archive has that key, and imports it when the cluster has not. */
export async function provideImage({ name, key, build }: KeyedImage): Promise<string> {
  const short = name.replace(/^localhost\//, "");
  const reference = `localhost/${short.includes(":") ? short : `${short}:${key}`}`;
  return await withLock(`image-${plain(short)}`, async () => {
    await mkdir(imagesFolder(), { recursive: true });
    const archive = join(imagesFolder(), `${plain(short)}@${key}.tar`);
    if (!existsSync(archive)) {
      await step(`building the image ${reference}`, async () => {
        const { dockerfile, context, buildArgs } = await build();
        await execute(
          "buildah",
          [
            ...(await storage()),
            "build",
            "--isolation",
            "chroot",
            "--layers",
            "--pull-never",
            ...(await policy()),
            "--file",
            dockerfile,
            "--tag",
            reference,
            ...Object.entries(buildArgs).flatMap(([arg, value]) => ["--build-arg", `${arg}=${value}`]),
            context,
          ],
          logTo(short),
        );
        await execute(
          "buildah",
          [...(await storage()), "push", "--quiet", ...(await policy()), reference, `docker-archive:${archive}.partial:${reference}`],
          logTo(short),
        );
        await rename(`${archive}.partial`, archive);
        await forgetOlder(plain(short));
      });
      writeJson(builtRecord(reference), { key, archive: basename(archive) });
    }
    await load(reference, key, archive);
    return reference;
  });
}

const logTo = (name: string) => ({
  log: join(home().logs, `image-${plain(name)}.log`),
  step: `build the image ${name}`,
  advice: "a missing base image is brought back by `npm run cluster down -- --purge` and up",
});

/** buildah keeps layers in our cache, apart from any other user of it on this machine. */
async function storage(): Promise<string[]> {
  const { cache, run } = home();
  return ["--root", join(cache, "buildah"), "--runroot", join(run, "buildah"), "--storage-driver", "overlay"];
}

async function policy(): Promise<string[]> {
  const path = join(home().run, "policy.json");
  await writeFile(path, JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
  return ["--signature-policy", path];
}

async function load(reference: string, key: string, archive: string): Promise<void> {
  const external = externalKubeconfig();
  const record = join(home().run, "images", `${plain(reference)}.json`);
  await mkdir(join(home().run, "images"), { recursive: true });
  const known = readJson<{ key: string; into: string }>(record);
  const loaded = known?.key === key && known.into === (external ?? "local");
  if (loaded && (external || (await isImported(reference)))) return;
  await step<unknown>(`importing ${reference}`, () => (external ? loadElsewhere(archive) : ctr("images", "import", archive)));
  writeJson(record, { key, into: external ?? "local" });
}

/** Records outlive a containerd that had to start anew. */
async function isImported(reference: string): Promise<boolean> {
  return (await ctr("images", "list", "-q", `name==${reference}`)).trim() === reference;
}

/** A cluster of your own takes images its own way, for example `kind load image-archive`. */
async function loadElsewhere(archive: string): Promise<void> {
  const [command, ...args] = (process.env["LONGSHORE_IMAGE_LOAD"] ?? "").split(" ").filter(Boolean);
  if (!command) {
    throw new StepError(
      "load an image",
      "KUBECONFIG names a cluster of your own; set LONGSHORE_IMAGE_LOAD to the command that loads an image archive into it, for example `kind load image-archive`",
    );
  }
  await execute(command, [...args, archive], { step: "load an image" });
}

/** Keeps the three newest archives of a name. */
async function forgetOlder(short: string): Promise<void> {
  const names = (await readdir(imagesFolder())).filter((file) => file.startsWith(`${short}@`) && file.endsWith(".tar"));
  const dated = await Promise.all(names.map(async (file) => ({ file, at: (await stat(join(imagesFolder(), file))).mtimeMs })));
  for (const { file } of dated.sort((a, b) => b.at - a.at).slice(3)) await rm(join(imagesFolder(), file), { force: true });
}

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { python } from "../cluster/cluster.ts";
import { run } from "../cluster/commands.ts";
import { home } from "../cluster/home.ts";
import { withLock } from "../cluster/lock.ts";
import { step } from "../cluster/progress.ts";

/** The source distribution on PyPI; it holds `t/integration`, which the wheel does not. */
const NAME = "celery-5.7.0";
const SHA256 = "6a5dfcf6662287204f009a02002b9e66c83d4105e47ebabdc7079108772fc6f0";

export interface SuiteSource {
  /** The folder with `python`. */
  readonly bin: string;
  /** Celery's root folder, with `t/integration`. */
  readonly folder: string;
}

/** Celery's own sources and a Python that can run their integration suite. Fetched once. Throws when PyPI does not answer, or with other bytes. */
export async function suiteSource(): Promise<SuiteSource> {
  const { bin } = await python("5.7-suite");
  const folder = join(home().cache, `${NAME}-${SHA256.slice(0, 12)}`);
  if (existsSync(folder)) return { bin, folder };
  return await withLock("celery-suite", async () => {
    if (existsSync(folder)) return { bin, folder };
    await step(`fetching the sources of ${NAME} from PyPI (once)`, () => fetchSource(bin, folder));
    return { bin, folder };
  });
}

async function fetchSource(bin: string, folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  const options = { log: join(home().logs, "python.log"), step: `fetch ${NAME}`, advice: "see whether PyPI answers" };
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const only = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation"];
  await run(join(bin, "pip"), ["download", "--quiet", ...only, "--dest", draft, NAME.replace("-", "==")], options);
  const archive = join(draft, `${NAME}.tar.gz`);
  const found = createHash("sha256")
    .update(await readFile(archive))
    .digest("hex");
  if (found !== SHA256) throw new Error(`${NAME}.tar.gz has SHA-256 ${found}, expected ${SHA256}`);
  await run("tar", ["xzf", archive, "-C", draft], options);
  await rename(join(draft, NAME), folder);
  await rm(draft, { recursive: true });
}

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./commands.ts";
import { home } from "./home.ts";
import { withLock } from "./lock.ts";
import { ensurePackages } from "./packages.ts";
import { step } from "./progress.ts";

export type CeleryVersion = "5.6" | "5.7";
/** A set of pinned packages: a Celery with Flower, or the one that runs Celery's own integration suite. */
export type PythonSet = CeleryVersion | "5.7-suite";

export interface Python {
  /** The folder with `python`, `celery` and `flower`. */
  readonly bin: string;
}

/** The file with everything that is pinned for a version of Celery. */
export const requirementsOf = (celery: PythonSet): string => join(import.meta.dirname, `requirements-celery-${celery}.txt`);

/**
 * A Python with Celery of that version, Flower, msgpack and YAML, as pinned in `requirements-celery-*.txt`. Made once per content of that file.
 * Never touches the machine's own Python packages. Throws when PyPI does not answer.
 */
export async function python(celery: PythonSet = "5.6"): Promise<Python> {
  const requirements = requirementsOf(celery);
  const key = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  const folder = join(home().cache, `python-celery-${celery}-${key}`);
  const complete = join(folder, ".complete"); // a virtual environment cannot be renamed, so it is marked instead
  if (existsSync(complete)) return { bin: join(folder, "bin") };
  return await withLock(`python-${celery}`, async () => {
    if (existsSync(complete)) return { bin: join(folder, "bin") };
    await ensurePackages([
      ["python3", "/usr/bin/python3"],
      ["python3-venv", "/usr/share/doc/python3-venv"],
    ]);
    await rm(folder, { recursive: true, force: true });
    await step(`installing Celery ${celery} from PyPI (once)`, async () => {
      const options = { log: join(home().logs, "python.log"), step: `install Celery ${celery}`, advice: "see whether PyPI answers" };
      await run("/usr/bin/python3", ["-m", "venv", folder], options);
      await run(join(folder, "bin", "pip"), ["install", "--quiet", "--requirement", requirements], options);
      await writeFile(complete, "");
    });
    return { bin: join(folder, "bin") };
  });
}

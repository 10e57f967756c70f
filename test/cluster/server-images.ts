import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./commands.ts";
import { home } from "./home.ts";
import { type CeleryVersion, python, requirementsOf } from "./python.ts";
import { provideTreeImage } from "./tree-image.ts";

const dockerfile = (name: string) => join(import.meta.dirname, "images", `${name}.Dockerfile`);

/** `localhost/rabbitmq:4.0`, for charts that bring their own broker. Made when somebody first asks. */
export async function rabbitmqImage(): Promise<string> {
  return await provideTreeImage({ name: "rabbitmq:4.0", tree: "trixie", dockerfile: dockerfile("rabbitmq"), files: {}, version: "1" });
}

/** `localhost/redis:8`, for charts that bring their own Redis. Made when somebody first asks. */
export async function redisImage(): Promise<string> {
  return await provideTreeImage({ name: "redis:8", tree: "trixie", dockerfile: dockerfile("redis"), files: {}, version: "1" });
}

/** `localhost/celery:5.6`, a Python with Celery for pools that run an image of the user's own. Made when somebody first asks. */
export async function celeryImage(version: CeleryVersion = "5.6"): Promise<string> {
  const requirements = requirementsOf(version);
  const packages = join(home().cache, `celery-packages-${version}`);
  const image = await provideTreeImage({
    name: `celery:${version}`,
    tree: "python",
    dockerfile: dockerfile("celery"),
    version: await readFile(requirements, "utf8"),
    files: {
      async packages() {
        const { bin } = await python(version);
        await rm(packages, { recursive: true, force: true });
        // Chosen for the image's Python, which need not be the machine's.
        const target = [
          "--target",
          packages,
          "--python-version",
          "3.11",
          "--platform",
          "manylinux_2_28_x86_64",
          "--platform",
          "manylinux2014_x86_64",
          "--only-binary=:all:",
        ];
        await run(join(bin, "pip"), ["install", "--quiet", ...target, "--requirement", requirements], {
          log: join(home().logs, "python.log"),
          step: `fetch Celery ${version} for its image`,
          advice: "see whether PyPI answers",
        });
        return packages;
      },
    },
  });
  await rm(packages, { recursive: true, force: true });
  return image;
}

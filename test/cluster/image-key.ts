import { createHash, type Hash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** What decides how an image comes out. */
export interface ImageInputs {
  readonly dockerfile: string;
  readonly context: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Paths inside the context; what the Dockerfile copies when left out. */
  readonly files?: readonly string[] | undefined;
}

/** A hash of everything that goes into an image: two equal keys mean that building again would change nothing. */
export function imageKey({ dockerfile, context, buildArgs, files }: ImageInputs): string {
  const text = readFileSync(dockerfile, "utf8");
  const hash = createHash("sha256")
    .update(text)
    .update(JSON.stringify(Object.entries(buildArgs).sort(([a], [b]) => (a < b ? -1 : 1))));
  const ignored = ignoredBy(context);
  for (const file of files ?? copied(text)) hashTree(hash, context, file.replace(/^\.?\/+/, "") || ".", ignored);
  return hash.digest("hex").slice(0, 12);
}

/** The sources of COPY and ADD, except those that come from another stage. A pattern stands for the folder that it is in. */
function copied(dockerfile: string): string[] {
  const lines = dockerfile.replaceAll(/\\\r?\n/g, " ").split("\n");
  return lines.flatMap((line) => {
    const [, rest] = /^\s*(?:COPY|ADD)\s+(.*)$/i.exec(line) ?? [];
    if (rest === undefined || /--from=/.test(rest)) return [];
    const words = rest.trim().startsWith("[") ? (JSON.parse(rest) as string[]) : rest.trim().split(/\s+/);
    return words
      .filter((word) => !word.startsWith("--"))
      .slice(0, -1)
      .map((word) => word.replace(/\/?[^/]*[*?[].*$/, "") || (/[*?[]/.test(word) ? "." : word));
  });
}

/** The plain paths of .dockerignore; its patterns are left to the builder, at the price of a build too many. */
function ignoredBy(context: string): ReadonlySet<string> {
  const always = [".git", "node_modules"];
  try {
    const lines = readFileSync(join(context, ".dockerignore"), "utf8")
      .split("\n")
      .map((line) =>
        line
          .trim()
          .replace(/^\.?\//, "")
          .replace(/\/$/, ""),
      );
    return new Set([...always, ...lines.filter((line) => line && !/[*?[!#]/.test(line))]);
  } catch {
    return new Set(always);
  }
}

function hashTree(hash: Hash, context: string, path: string, ignored: ReadonlySet<string>): void {
  const full = join(context, path);
  const stat = lstatSync(full);
  hash.update(`\0${path}\0${stat.mode.toString(8)}\0`);
  if (stat.isSymbolicLink()) hash.update(readlinkSync(full));
  else if (stat.isFile()) hash.update(readFileSync(full));
  else if (stat.isDirectory()) {
    for (const name of readdirSync(full).sort()) {
      const child = path === "." ? name : `${path}/${name}`;
      if (!ignored.has(child)) hashTree(hash, context, child, ignored);
    }
  }
}

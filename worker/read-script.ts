import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Script } from "./ports.ts";

/** Reads one script that lies beside its module, in the source tree as in the bundle. Throws when it is not there. */
export function readScript(name: string, module: string): Script {
  const source = readFileSync(new URL(`./${name}.lua`, module), "utf8");
  return { name, source, sha: createHash("sha1").update(source).digest("hex") };
}

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Script } from "../ports.ts";

/** Reads one script that lies beside this module, in the source tree as in the bundle. Throws when it is not there. */
function load(name: string): Script {
  const source = readFileSync(new URL(`./${name}.lua`, import.meta.url), "utf8");
  return { name, source, sha: createHash("sha1").update(source).digest("hex") };
}

/** The commands of the state machine. */
export const SCRIPTS = {
  begin: load("begin"),
  renew: load("renew"),
  effect: load("effect"),
  commit: load("commit"),
  release: load("release"),
  kill: load("kill"),
  clear: load("clear"),
  store: load("store"),
} as const;

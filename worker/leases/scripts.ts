import { readScript } from "../read-script.ts";

const load = (name: string) => readScript(name, import.meta.url);

/** Places under a shared rate. */
export const RATE_SCRIPT = load("rate");

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
  semaphoreTake: load("semaphore-take"),
  semaphoreRenew: load("semaphore-renew"),
  revoke: load("revoke"),
} as const;

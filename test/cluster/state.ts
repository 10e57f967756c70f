import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { home } from "./home.ts";
import { chooseNetwork, freePorts, type Network } from "./network.ts";

/** What was chosen at the first `up` and stays until `down`. */
export interface ClusterState {
  readonly network: Network;
  readonly ports: { readonly etcd: number; readonly etcdPeer: number; readonly apiServer: number };
  readonly adminToken: string;
}

const path = () => join(home().run, "cluster.json");

/** What the running (or half-started) cluster uses; undefined when there is none. */
export function readState(): ClusterState | undefined {
  return readJson<ClusterState>(path());
}

/** The state of this home's cluster, chosen and recorded when there is none yet. Call it under the cluster's lock. */
export async function ensureState(): Promise<ClusterState> {
  const known = readState();
  if (known) return known;
  const [etcd = 0, etcdPeer = 0, apiServer = 0] = await freePorts(3);
  const state = { network: await chooseNetwork(home().id), ports: { etcd, etcdPeer, apiServer }, adminToken: randomToken() };
  writeJson(path(), state);
  return state;
}

export function randomToken(): string {
  return randomBytes(18).toString("hex");
}

/** Reads what `writeJson` wrote. A missing file is undefined, and so is one that was cut short by a crash. */
export function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readText(file) ?? "") as T;
  } catch {
    return undefined;
  }
}

/** Writes JSON for its owner only: states hold passwords. */
export function writeJson(file: string, value: unknown): void {
  writeConfig(file, JSON.stringify(value, null, 2));
}

/**
 * Writes a file for its owner only, all at once, and only when its content changes: kube-proxy ends when its configuration is
 * written, and nobody may read half a kubeconfig.
 */
export function writeConfig(file: string, text: string): void {
  if (readText(file) === text) return;
  const draft = `${file}.${process.pid}.partial`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

import { mkdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { home } from "./home.ts";
import { gatewayAddress } from "./host-address.ts";
import { ensureHostNetwork } from "./host-network.ts";
import { withLock } from "./lock.ts";
import { freePorts } from "./network.ts";
import { ensureProcess, stopProcess } from "./processes.ts";
import { insideTree, rootfs } from "./rootfs.ts";
import { randomToken, readJson, writeJson } from "./state.ts";

export interface Redis {
  readonly name: string;
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly password: string;
  /** From the host, with the password; database 0. */
  readonly uri: string;
  /** From a pod. */
  readonly podUri: string;
  /** A clean outage; what was stored is lost, as nothing is written to disk. */
  stop(): Promise<void>;
  /** A crash: SIGKILL. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A Redis that one test has for itself: `await using` ends it and removes its data. */
export interface PrivateRedis extends Redis, AsyncDisposable {}

interface RedisOptions {
  readonly name: string;
  readonly config?: string;
  readonly sentinel?: boolean;
  /** Files for its configuration to name, under `/var/lib/redis`. */
  readonly files?: Readonly<Record<string, string>>;
}

interface RedisState {
  readonly port: number;
  readonly password: string;
  readonly gateway: string;
}

/** The shared Redis. Tests that stop or flush it use `startRedis` with a name of their own. */
export async function redis(): Promise<Redis> {
  return await startRedis({ name: "redis" });
}

/**
 * Starts a private Redis, or finds the running one of that name. `config` lines are read when it is made. `sentinel` makes it a Redis Sentinel, which
 * has no databases. Throws when it does not start.
 */
export async function startRedis({ name, config = "", sentinel = false, files = {} }: RedisOptions): Promise<PrivateRedis> {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name))
    throw new Error(`${name} is not a name for a Redis: lower-case letters, digits and dashes only`);
  await ensureHostNetwork();
  const tree = await rootfs("trixie");
  const run = (state: RedisState) => ensureRunning(tree, name, state, sentinel ? ["--sentinel"] : []);
  const state = await withLock(`redis-${name}`, async () => {
    const ready = await ensureState(name, config, files);
    await run(ready);
    return ready;
  });
  const halt = (signal: NodeJS.Signals) => withLock(`redis-${name}`, () => stopProcess(name, { signal, graceMs: 5_000 }));
  return {
    name,
    host: "127.0.0.1",
    port: state.port,
    password: state.password,
    uri: `redis://:${state.password}@127.0.0.1:${state.port}/0`,
    podUri: `redis://:${state.password}@${state.gateway}:${state.port}/0`,
    stop: () => halt("SIGTERM"),
    kill: () => halt("SIGKILL"),
    start: () => withLock(`redis-${name}`, () => run(state)),
    async [Symbol.asyncDispose]() {
      await halt("SIGKILL");
      await rm(folderOf(name), { recursive: true, force: true });
    },
  };
}

const folderOf = (name: string) => join(home().run, "servers", name);

async function ensureState(name: string, extra: string, files: Readonly<Record<string, string>>): Promise<RedisState> {
  const folder = folderOf(name);
  const known = readJson<RedisState>(join(folder, "state.json"));
  if (known) return known;
  const [port = 0] = await freePorts(1);
  const state: RedisState = { port, password: randomToken(), gateway: gatewayAddress() };
  await mkdir(join(folder, "data"), { recursive: true });
  await writeFile(
    join(folder, "data", "redis.conf"),
    `bind 127.0.0.1 ${state.gateway}
port ${state.port}
requirepass ${state.password}
daemonize no
dir /var/lib/redis
save ""
appendonly no
maxmemory-policy noeviction
${extra}
`,
    { mode: 0o600 },
  );
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, "data", file), text, { mode: 0o600 });
  writeJson(join(folder, "state.json"), state);
  return state;
}

async function ensureRunning(tree: string, name: string, state: RedisState, args: readonly string[]): Promise<void> {
  const inside = insideTree({
    tree,
    binds: [[join(folderOf(name), "data"), "/var/lib/redis"]],
    env: {},
    command: ["redis-server", "/var/lib/redis/redis.conf", ...args],
  });
  await ensureProcess({ name, ...inside, ready: () => answers(state), readyWithinMs: 20_000 });
}

/** One PING over a plain socket: no client library is needed to know that it is there. */
async function answers({ port, password }: RedisState): Promise<boolean> {
  return await new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    let said = "";
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on("data", (chunk) => {
      said += chunk.toString();
      if (said.includes("PONG")) {
        socket.destroy();
        done(true);
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => done(false));
  });
}

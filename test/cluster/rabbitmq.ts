import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run as execute } from "./commands.ts";
import { home } from "./home.ts";
import { gatewayAddress } from "./host-address.ts";
import { ensureHostNetwork } from "./host-network.ts";
import { withLock } from "./lock.ts";
import { freePorts } from "./network.ts";
import { ensureProcess, running, stopProcess } from "./processes.ts";
import { step } from "./progress.ts";
import { type BrokerPorts, PLUGINS, rabbitmqConf, rabbitmqEnv } from "./rabbitmq-config.ts";
import { insideTree, rootfs, type Tree } from "./rootfs.ts";
import { randomToken, readJson, writeJson } from "./state.ts";

export type BrokerVersion = "3.10" | "4.0" | "4.3";
const TREE_OF: Readonly<Record<BrokerVersion, Tree>> = { "3.10": "bookworm", "4.0": "trixie", "4.3": "sid" };

export interface Broker {
  readonly version: BrokerVersion;
  readonly name: string;
  readonly username: string;
  readonly password: string;
  /** From the host, with user and password; the virtual host is `/`. */
  readonly uri: string;
  /** From a pod. */
  readonly podUri: string;
  /** The management API without credentials; the same from the host and from a pod. */
  readonly managementUri: string;
  readonly podManagementUri: string;
  readonly prometheusUri: string;
  readonly streamPort: number;
  /** Runs rabbitmqctl and returns what it prints. */
  ctl(...args: string[]): Promise<string>;
  /** A clean outage: data and ports stay for `start`. */
  stop(): Promise<void>;
  /** A crash: SIGKILL. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A broker that one test has for itself: `await using` ends it and removes its data. */
export interface PrivateBroker extends Broker, AsyncDisposable {}

export interface BrokerOptions {
  readonly version: BrokerVersion;
  /** Lower-case letters, digits and dashes. The same name is the same broker, for every process that asks. */
  readonly name: string;
  /** Lines for the end of rabbitmq.conf; read when the broker is made, not when it is reused. */
  readonly config?: string;
}

interface BrokerState {
  readonly version: BrokerVersion;
  readonly ports: BrokerPorts;
  readonly password: string;
  readonly cookie: string;
  readonly gateway: string;
}

/** The shared broker of a version, started when first asked for. Tests that stop a broker use `startBroker` with a name of their own. */
export async function broker(version: BrokerVersion = "4.0"): Promise<Broker> {
  return await startBroker({ version, name: `rabbitmq-${version.replace(".", "-")}` });
}

/** Starts a private broker, or finds the running one of that name. Throws with the log's last lines when it does not start. */
export async function startBroker({ version, name, config = "" }: BrokerOptions): Promise<PrivateBroker> {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name))
    throw new Error(`${name} is not a name for a broker: lower-case letters, digits and dashes only`);
  await ensureHostNetwork();
  const tree = await rootfs(TREE_OF[version]);
  const state = await withLock(`broker-${name}`, async () => {
    const ready = await ensureState(version, name, config);
    await ensureRunning(tree, name, ready);
    return ready;
  });
  return brokerOf(tree, name, state);
}

async function ensureState(version: BrokerVersion, name: string, extra: string): Promise<BrokerState> {
  const folder = folderOf(name);
  const known = readJson<BrokerState>(join(folder, "state.json"));
  if (known) return known;
  const [amqp = 0, management = 0, prometheus = 0, stream = 0, distribution = 0, epmd = 0] = await freePorts(6);
  const gateway = gatewayAddress();
  const state: BrokerState = {
    version,
    ports: { amqp, management, prometheus, stream, distribution, epmd },
    password: randomToken(),
    cookie: randomToken(),
    gateway,
  };
  await mkdir(join(folder, "etc"), { recursive: true });
  await mkdir(join(folder, "data", "log"), { recursive: true });
  await writeFile(join(folder, "etc", "rabbitmq.conf"), rabbitmqConf({ ...state, extra }));
  await writeFile(join(folder, "etc", "enabled_plugins"), `[${PLUGINS.join(",")}].\n`);
  await writeFile(join(folder, "data", ".erlang.cookie"), state.cookie, { mode: 0o400 });
  writeJson(join(folder, "state.json"), state);
  return state;
}

const folderOf = (name: string) => join(home().run, "servers", name);

function inBroker(tree: string, name: string, state: BrokerState, command: readonly string[]) {
  const folder = folderOf(name);
  const binds = [
    [join(folder, "data"), "/var/lib/rabbitmq"],
    [join(folder, "etc"), "/etc/rabbitmq"],
  ] as const;
  return insideTree({ tree, binds, env: rabbitmqEnv(name, state.ports), command });
}

async function ensureRunning(tree: string, name: string, state: BrokerState): Promise<void> {
  // RabbitMQ would start epmd as a daemon that outlives it; started here first, it is a process of ours like any other.
  await ensureProcess({ name: `${name}-epmd`, ...inBroker(tree, name, state, ["epmd", "-port", String(state.ports.epmd)]) });
  if (running(name) && (await answers(state).catch(() => false))) return;
  await step(`starting RabbitMQ ${state.version} (${name})`, async () => {
    await ensureProcess({
      name,
      ...inBroker(tree, name, state, ["/usr/lib/rabbitmq/bin/rabbitmq-server"]),
      ready: () => answers(state),
      readyWithinMs: 120_000,
    });
  });
}

/** The management API comes up last, and this answer needs the listeners to be open. */
async function answers({ ports, gateway, password }: BrokerState): Promise<boolean> {
  const authorization = `Basic ${Buffer.from(`longshore:${password}`).toString("base64")}`;
  const answer = await fetch(`http://${gateway}:${ports.management}/api/health/checks/port-listener/${ports.amqp}`, {
    headers: { authorization },
    signal: AbortSignal.timeout(2_000),
  });
  return answer.ok;
}

function brokerOf(tree: string, name: string, state: BrokerState): PrivateBroker {
  const { ports, password, gateway } = state;
  const management = `http://${gateway}:${ports.management}`;
  const halt = (signal: NodeJS.Signals) =>
    withLock(`broker-${name}`, async () => {
      await stopProcess(name, { signal, graceMs: 30_000 });
      await stopProcess(`${name}-epmd`, { graceMs: 2_000 });
    });
  return {
    version: state.version,
    name,
    username: "longshore",
    password,
    uri: `amqp://longshore:${password}@127.0.0.1:${ports.amqp}/`,
    podUri: `amqp://longshore:${password}@${gateway}:${ports.amqp}/`,
    managementUri: management,
    podManagementUri: management,
    prometheusUri: `http://${gateway}:${ports.prometheus}/metrics`,
    streamPort: ports.stream,
    async ctl(...args) {
      const { command, args: all } = inBroker(tree, name, state, ["/usr/lib/rabbitmq/bin/rabbitmqctl", ...args]);
      return await execute(command, all, { step: `run rabbitmqctl ${args[0]}` });
    },
    stop: () => halt("SIGTERM"),
    kill: () => halt("SIGKILL"),
    start: () => withLock(`broker-${name}`, () => ensureRunning(tree, name, state)),
    async [Symbol.asyncDispose]() {
      await halt("SIGKILL");
      await rm(folderOf(name), { recursive: true, force: true });
    },
  };
}

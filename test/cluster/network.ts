import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { run, tryRun } from "./commands.ts";
import { StepError } from "./progress.ts";

/** The addresses of one cluster. All of them lie in one /16 that nothing else on the machine uses. */
export interface Network {
  /** The device of the host that leads to the node. */
  readonly device: string;
  readonly range: string;
  readonly podRange: string;
  readonly serviceRange: string;
  readonly apiService: string;
  /** The host, as the node and the pods see it. The API server, the brokers and Redis listen here. */
  readonly gateway: string;
  /** The node, in its own network namespace. DNS listens here. */
  readonly node: string;
}

/** Chooses a free range, the same one for the same home as long as it is free. Throws when the machine has none left. */
export async function chooseNetwork(id: string): Promise<Network> {
  const routes = await run("ip", ["-4", "route", "show", "table", "all"]);
  const first = Number.parseInt(id, 16) % 120;
  for (let turn = 0; turn < 120; turn++) {
    const second = 100 + ((first + turn) % 120);
    if (routes.includes(`10.${second}.`) || /\b10\.0\.0\.0\/8\b/.test(routes)) continue;
    return networkOf(id, `10.${second}`);
  }
  throw new StepError("choose addresses for the pods", "all of 10.100.0.0-10.219.0.0 is routed on this machine");
}

function networkOf(id: string, prefix: string): Network {
  return {
    device: `ls${id}`,
    range: `${prefix}.0.0/16`,
    podRange: `${prefix}.0.0/20`,
    serviceRange: `${prefix}.128.0/20`,
    apiService: `${prefix}.128.1`,
    gateway: `${prefix}.255.1`,
    node: `${prefix}.255.2`,
  };
}

/**
 * Joins the node's network namespace to the host with one pair of devices, and gives the host a route to pods and services.
 * Never touches the host's firewall or forwarding: pods reach the host and each other, nothing beyond. Doing it twice is fine.
 */
export async function connectNode(network: Network, nodePid: number): Promise<void> {
  const { device, gateway, node, range } = network;
  const inNode = (...args: string[]) =>
    run("nsenter", ["--target", String(nodePid), "--net", "--", ...args], { step: "set up the node's network" });
  const onHost = (...args: string[]) => run("ip", args, { step: "set up the node's network" });
  const joined = networkInterfaces()[device]?.some(({ address }) => address === gateway);
  if (joined && (await tryRun("nsenter", ["--target", String(nodePid), "--net", "--", "ip", "link", "show", "eth0"]))) return;
  await tryRun("ip", ["link", "delete", device]);
  await onHost("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", String(nodePid));
  await onHost("address", "add", `${gateway}/30`, "dev", device);
  await onHost("link", "set", device, "up");
  await inNode("ip", "link", "set", "lo", "up");
  await inNode("ip", "address", "add", `${node}/30`, "dev", "eth0");
  await inNode("ip", "link", "set", "eth0", "up");
  await inNode("ip", "route", "add", "default", "via", gateway);
  await inNode("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
  await onHost("route", "replace", range, "via", node, "dev", device);
}

/** Below the ports of Kubernetes' Services and those that Linux gives to connections: one of those could be anybody's before the server starts. */
const PORTS = [20_000, 30_000] as const;

async function listening(port: number): Promise<Server | undefined> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<Server | undefined>();
  server.once("error", () => resolve(undefined));
  server.listen(port, "0.0.0.0", () => resolve(server));
  return await promise;
}

/** Ports that nobody listens on, at any address. They are different from each other; what takes them meanwhile wins. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  while (servers.length < count) {
    const server = await listening(randomInt(...PORTS));
    if (server !== undefined) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

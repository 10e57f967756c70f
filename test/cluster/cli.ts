import { parseArgs } from "node:util";
import { type Cluster, down, status, up } from "./cluster.ts";

const USAGE = `node test/cluster/cli.ts <command>
  up [--json]       start the local Kubernetes, RabbitMQ and Redis, or repair what is missing of them
  status [--json]   say what runs
  down [--purge]    end everything and remove its state; --purge removes the caches, too
`;

function describe({ kubeconfig, kubectl, broker, redis, hostAddress, baseImage }: Cluster): Record<string, string> {
  return {
    kubeconfig,
    kubectl,
    hostAddress,
    baseImage,
    broker: broker.uri,
    brokerFromPods: broker.podUri,
    management: broker.managementUri,
    prometheus: broker.prometheusUri,
    redis: redis.uri,
    redisFromPods: redis.podUri,
  };
}

const print = (line: string) => void process.stdout.write(`${line}\n`);
const printJson = (value: unknown) => print(JSON.stringify(value, null, 2));

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean", default: false }, purge: { type: "boolean", default: false } },
  });
  switch (positionals[0]) {
    case "up": {
      const cluster = describe(await up());
      if (values.json) printJson(cluster);
      else for (const [name, value] of Object.entries(cluster)) print(`${name.padEnd(16)} ${value}`);
      return 0;
    }
    case "status": {
      const found = await status();
      if (values.json) printJson(found);
      else {
        print(`${found.ready ? "ready" : "not running"}: ${found.home}`);
        for (const one of found.processes) print(`  ${one.name.padEnd(28)} ${one.running ? `pid ${one.pid}` : "DEAD"}`);
      }
      return found.ready ? 0 : 1;
    }
    case "down":
      await down({ purge: values.purge });
      return 0;
    default:
      process.stderr.write(USAGE);
      return 2;
  }
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});

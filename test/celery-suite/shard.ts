import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Broker, startRedis } from "../cluster/cluster.ts";
import { freePorts } from "../cluster/network.ts";
import type { SuiteSource } from "./source.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The files of the suite that a worker can be measured by; the others test beat, other backends, or leaks of Celery's own process. */
const FILES = ["canvas", "tasks", "inspect", "redis_backend", "worker", "group_chains", "backend", "serialization"] as const;

/** One of several runs side by side, each with every `of`th test, a virtual host and a Redis of its own. */
export interface ShardOptions {
  readonly index: number;
  readonly of: number;
  readonly source: SuiteSource;
  readonly broker: Broker;
  /** A folder for logs and the report. */
  readonly folder: string;
  /** Node ids that are not run. */
  readonly excluded: readonly string[];
  /** Handed to pytest. */
  readonly pytest: readonly string[];
}

/** Ended tests of a shard, one line of JSON each, as the plugin writes them. */
export interface Outcome {
  readonly id: string;
  readonly outcome: "passed" | "failed" | "skipped" | "xpassed";
  readonly seconds: number;
  readonly reruns: number;
  readonly reason: string;
}

/** Runs one shard. Throws when pytest could not even begin; failed tests are outcomes. */
export async function runShard({ index, of, source, broker, folder, excluded, pytest }: ShardOptions): Promise<readonly Outcome[]> {
  const name = `celery-suite-${process.pid}-${index}`;
  await mkdir(folder, { recursive: true });
  await using redis = await startRedis({ name, config: 'requirepass ""' });
  await broker.ctl("add_vhost", name);
  await broker.ctl("set_permissions", "-p", name, broker.username, ".*", ".*", ".*");
  try {
    const [port = 0] = await freePorts(1);
    const report = join(folder, `report-${index}.jsonl`);
    const settings = {
      node: process.execPath,
      main: join(ROOT, "worker/main.ts"),
      tasks: join(ROOT, "test/celery-suite/tasks"),
      port,
      log: join(folder, `worker-${index}.log`),
      report,
      shard: index,
      shards: of,
      excluded,
      environment: { LONGSHORE_DRAIN_SECONDS: "5", CELERY_RESULT_EXTENDED: "true" },
    };
    const env = {
      PATH: process.env["PATH"],
      PYTHONPATH: join(ROOT, "test/celery-suite"),
      PYTHONDONTWRITEBYTECODE: "1",
      TEST_BROKER: `${broker.uri.replace(/\/$/, "")}/${name}`.replace("amqp:", "pyamqp:"),
      TEST_BACKEND: `redis://127.0.0.1:${redis.port}/0`,
      REDIS_HOST: "127.0.0.1",
      REDIS_PORT: String(redis.port),
      LONGSHORE_SUITE: JSON.stringify(settings),
    };
    const files = FILES.map((file) => `t/integration/test_${file}.py`);
    const options = [
      "-p",
      "longshore_worker",
      "-p",
      "no:cacheprovider",
      "--continue-on-collection-errors",
      "--timeout=300",
      "-o",
      "xfail_strict=false",
    ];
    const args = ["-m", "pytest", ...options, ...pytest, ...files];
    const child = spawn(join(source.bin, "python"), args, { cwd: source.folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const log = createWriteStream(join(folder, `pytest-${index}.log`));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const code = await new Promise<number | null>((done, fail) => child.once("error", fail).once("close", done));
    log.end();
    // 0 all passed, 1 some failed, 5 none selected. https://docs.pytest.org/en/stable/reference/exit-codes.html
    if (code !== 0 && code !== 1 && code !== 5) throw new Error(`pytest ended with ${code}: see ${folder}/pytest-${index}.log`);
    const text = await readFile(report, "utf8").catch(() => "");
    return lastAttempts(text);
  } finally {
    await broker.ctl("delete_vhost", name);
  }
}

/** The last attempt at each test counts; each attempt before it is a line, too. */
function lastAttempts(text: string): readonly Outcome[] {
  const found = new Map<string, Outcome>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const next = JSON.parse(line) as Outcome;
    const { reruns = 0, seconds = 0 } = found.get(next.id) ?? {};
    found.set(next.id, { ...next, reruns: next.reruns + reruns, seconds: next.seconds + seconds });
  }
  return [...found.values()];
}

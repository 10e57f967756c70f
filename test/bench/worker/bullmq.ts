import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { home } from "../../cluster/home.ts";
import { withLock } from "../../cluster/lock.ts";
import { FROM, TO } from "./queue.ts";

export const BULLMQ_VERSION = "6.7.0";

/** Fills a queue, then works it off with a no-op; says how many jobs per second it finished between the same shares as the others. */
const PROGRAM = `
import { Queue, Worker } from "bullmq";
import IORedis from "ioredis";
const [url, count, concurrency] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const connection = new IORedis(url, { maxRetriesPerRequest: null });
const queue = new Queue("bench", { connection });
for (let at = 0; at < count; at += 1000) {
  await queue.addBulk(Array.from({ length: 1000 }, () => ({ name: "noop", data: { args: [], kwargs: {} } })));
}
let done = 0, first = 0, from = 0;
const worker = new Worker("bench", async () => null, { connection: connection.duplicate(), concurrency });
worker.on("completed", () => {
  done += 1;
  if (done === Math.ceil(count * ${FROM})) [first, from] = [done, performance.now()];
  if (done === Math.floor(count * ${TO})) process.send((done - first) / ((performance.now() - from) / 1000), () => process.exit(0));
});
worker.on("error", () => {});
`;

/** BullMQ in a folder of the cache: it is no dependency of the project. Throws when the npm registry does not answer. */
async function install(): Promise<string> {
  const folder = join(home().cache, `bullmq-${BULLMQ_VERSION}`);
  const program = join(folder, "bench.mjs");
  await withLock("bullmq", async () => {
    if (!existsSync(join(folder, "node_modules", "bullmq"))) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "package.json"), '{"private": true}');
      await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund", `bullmq@${BULLMQ_VERSION}`, "ioredis@6.0.0"], {
        cwd: folder,
      });
    }
    await writeFile(program, PROGRAM);
  });
  return program;
}

/** Jobs per second of one BullMQ worker process on this Redis. */
export async function bullmqRate(redisUrl: string, count: number, concurrency: number): Promise<number> {
  const child = fork(await install(), [redisUrl, String(count), String(concurrency)], { execArgv: [] });
  const [rate] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`BullMQ ended with ${String(code)}`))),
  ])) as [number];
  return rate;
}

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { down, python, status, up } from "../cluster/cluster.ts";
import { home } from "../cluster/home.ts";
import { buildImages } from "../product/images.ts";
import { installOperator } from "../product/operator.ts";
import { drawChart } from "./chart.ts";
import { makeClips } from "./clips.ts";
import { applyPool } from "./install.ts";
import { startObjectStore } from "./object-store.ts";
import { watchPool } from "./pool.ts";
import { type Order, produce } from "./producer.ts";
import { createScreen, summaryLines } from "./screen.ts";
import { type ClientResult, type Verdict, verify } from "./verify.ts";

/** `npm run demo`: the whole product on real parts, from nothing to a verdict. `--down` removes everything; `--tasks N` sends fewer or more. */
const { values } = parseArgs({ options: { down: { type: "boolean", default: false }, tasks: { type: "string", default: "300" } } });
const screen = createScreen(process.stdout);
const report = join(import.meta.dirname, "..", "..", "demo-report");
const STORE_LATENCY_MS = 250;
const PATIENCE_SECONDS = 180;

async function digests(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(
      names.map(
        async (name) =>
          [
            name,
            createHash("sha256")
              .update(await readFile(join(folder, name)))
              .digest("hex"),
          ] as const,
      ),
    ),
  );
}

async function run(total: number): Promise<Verdict> {
  screen.say("Longshore demo: a pool goes from nothing to several replicas and back, on real parts");
  const cluster = await up();
  const scratch = join(home().run, "demo");
  const folders = { clips: join(scratch, "clips"), out: join(scratch, "out") };
  await rm(folders.out, { recursive: true, force: true });
  const [images, celery, clips] = await Promise.all([buildImages(cluster), python(), makeClips(folders.clips)]);
  await installOperator(cluster, images);
  await applyPool(cluster);
  await using pool = await watchPool(cluster, total, screen);
  await pool.until(
    "ready with no replica",
    (seen) => seen.condition === "True" && seen.sample.desired === 0 && seen.replicas === 0,
    PATIENCE_SECONDS,
  );

  const token = crypto.randomUUID();
  await using store = await startObjectStore(folders, token, STORE_LATENCY_MS);
  const base = `http://${cluster.hostAddress}:${store.port}/${token}`;
  const targets = Array.from({ length: total }, (_, at) => `clip-${String(at).padStart(4, "0")}.mp4`);
  const tasks = targets.map((target, at) => ({
    source: `${base}/clips/${clips[at % clips.length]}`,
    target: `${base}/out/${target}`,
    height: 90,
  }));
  const order: Order = { exchange: "media", routing_key: "video", tasks, timeout: PATIENCE_SECONDS };
  const results: ClientResult[] = [];
  pool.begin();
  await produce(
    join(celery.bin, "python"),
    { broker: cluster.broker.uri, results: cluster.redis.uri },
    order,
    (sent) => screen.say(`a Celery client sent ${sent} tasks to exchange media, routing key video`),
    (result) => {
      results.push(result);
      pool.done(results.length);
    },
  );
  await pool.until("back to no replica", (seen) => seen.sample.desired === 0 && seen.replicas === 0, PATIENCE_SECONDS);

  const samples = pool.samples();
  const verdict = verify(targets, results, store.ledger, await digests(folders.out));
  await mkdir(report, { recursive: true });
  await writeFile(join(report, "scaling.svg"), drawChart(samples, `${total} transcoding tasks, one WorkerPool`));
  await writeFile(join(report, "report.json"), `${JSON.stringify({ verdict, samples }, null, 1)}\n`);
  const peak = Math.max(...samples.map((sample) => sample.desired));
  if (peak < 2 && total >= 100)
    return { ...verdict, ok: false, problems: [...verdict.problems, `the pool never had more than ${peak} replicas`] };
  screen.end();
  screen.say(["", ...summaryLines(samples, 100), ""].join("\n"));
  screen.say(
    `replicas 0 -> ${peak} -> 0; results ${verdict.succeeded}/${verdict.tasks} fetched by the Celery client and equal to the files on disk; effects that ran exactly once ${verdict.effectsOnce}/${verdict.tasks}`,
  );
  return verdict;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    screen.say("interrupted; the next run begins anew, npm run demo -- --down removes everything");
    process.exit(130);
  });
}
if (values.down) {
  await down();
  screen.say("the cluster and everything on it are gone; caches stay (npm run cluster -- down --purge removes them too)");
} else {
  const began = performance.now();
  const wasUp = (await status()).ready;
  const verdict = await run(Number(values.tasks)).catch(
    (error: Error): Verdict => ({ ok: false, tasks: 0, succeeded: 0, effectsOnce: 0, problems: [error.message] }),
  );
  for (const problem of verdict.problems.slice(0, 20)) screen.say(`PROBLEM  ${problem}`);
  if (verdict.problems.length > 20) screen.say(`PROBLEM  and ${verdict.problems.length - 20} more`);
  screen.say(
    `${verdict.ok ? "passed" : "FAILED"} in ${((performance.now() - began) / 1_000).toFixed(0)} s${wasUp ? "" : ", the cluster's start included"}; chart: demo-report/scaling.svg; npm run demo -- --down removes everything`,
  );
  process.exit(verdict.ok ? 0 : 1); // a step that failed does not wait for those that went on beside it
}

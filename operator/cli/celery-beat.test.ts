import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { convert } from "./convert.ts";

const BEAT = {
  nightly: { task: "reports.nightly", schedule: { __type__: "crontab", minute: "30", hour: "2" }, options: { queue: "reports" } },
  dusk: { task: "lights.on", schedule: { __type__: "solar", event: "sunset", lat: 1, lon: 1 } },
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "longshore-beat-"));
  await writeFile(join(folder, "beat.json"), JSON.stringify(BEAT));
  await writeFile(join(folder, "broken.json"), "[1");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = async (...args: readonly string[]): Promise<string> => {
  let out = "";
  await convert(["celerybeat", ...args], folder, (text) => (out += text));
  return out;
};

test("a file becomes manifests, with a comment where there is no equivalent", async () => {
  const out = await run("beat.json", "--time-zone", "Europe/Berlin", "--store", "cache");
  const [nightly] = parseAllDocuments(out).map((document) => document.toJS() as unknown);
  expect(nightly).toMatchObject({
    kind: "Schedule",
    metadata: { name: "nightly" },
    spec: { cron: "30 2 * * *", timeZone: "Europe/Berlin", queue: "reports", storeRef: { name: "cache" } },
  });
  expect(out).toContain('# "dusk" of beat_schedule\n# NOTE  schedule: solar schedules are not supported');
});

test.for([[], ["none.json"], ["broken.json"]])("%j is refused with the file's name, or with how to call it", async (args) => {
  await expect(run(...args)).rejects.toMatchObject({
    name: "UsageError",
    message: expect.stringMatching(args[0] ?? /needs one file/) as string,
  });
});

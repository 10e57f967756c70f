import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { convert } from "./convert.ts";
import { simulate } from "./simulate.ts";

const POOL = `apiVersion: longshore.dev/v1alpha1
kind: WorkerPool
metadata: {name: mail}
spec:
  brokerRef: {name: b}
  storeRef: {name: s}
  queues: [mail]
  autoscaling: {maxReplicas: 8, waitSeconds: 20, floors: [{cron: '0 8 * * *', durationMinutes: 60, minReplicas: 3}]}
`;
const SCALED = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: mail, namespace: shop}
spec:
  scaleTargetRef: {name: mailer}
  pollingInterval: 5
  triggers:
  - type: rabbitmq
    metadata: {queueName: mail, value: "25"}
    authenticationRef: {name: mq}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {name: mq}
spec: {secretTargetRef: [{parameter: host, name: rabbit, key: address}]}
`;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "longshore-cli-"));
  const files = {
    "pool.yaml": POOL,
    "few.yaml": POOL.replace("maxReplicas: 8", "maxReplicas: 0"),
    "fixed.yaml": POOL.replace(/ {2}autoscaling.*\n/, ""),
    "arrivals.csv": "0,100\n60,20\n",
    "wrong.csv": "0,100\n0,20\n",
    "scaled.yaml": SCALED,
    "job.yaml": SCALED.replace("kind: ScaledObject", "kind: ScaledJob"),
    "cpu.yaml": SCALED.replace("type: rabbitmq", "type: cpu"),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true }));

async function said(command: typeof simulate, line: string): Promise<string> {
  let text = "";
  await command(line.split(" "), folder, (more) => {
    text += more;
  });
  return text;
}

test("simulate prints the three side by side and draws a chart; a scheduled floor counts", async () => {
  const text = await said(simulate, "--pool pool.yaml --trace arrivals.csv --svg chart.svg --decisions --start 2026-01-05T08:00:00Z");
  expect(text).toMatch(/Longshore .*\nKEDA \+ HPA, value 20 .*\noracle /);
  expect(text).toContain("Longshore             meets the objective: 100.00 %");
  expect(text).toMatch(/ s {2}0 -> 3 {2}ScheduledFloor: a scheduled floor of 3 holds/);
  expect(await readFile(join(folder, "chart.svg"), "utf8")).toMatch(/^<svg/);
  const totals = JSON.parse(await said(simulate, "--pool pool.yaml --trace arrivals.csv --json --svg= --start 2026-01-05T08:00:00Z"));
  const without = JSON.parse(await said(simulate, "--pool pool.yaml --trace arrivals.csv --json --svg= --start 2026-01-05T12:00:00Z"));
  expect(totals.Longshore.replicaSeconds).toBeGreaterThan(without.Longshore.replicaSeconds);
}, 60_000);

test("convert prints manifests after what has no equivalent", async () => {
  const text = await said(convert, "scaled.yaml");
  expect(text).toContain("# NO EQUIVALENT  spec.pollingInterval: ");
  expect(text).not.toContain("REFUSED");
  const [broker, pool] = parseAllDocuments(text).map((document) => document.toJS());
  expect(broker).toMatchObject({ kind: "Broker", spec: { uriFrom: { secretKeyRef: { name: "rabbit", key: "address" } } } });
  expect(pool).toMatchObject({
    kind: "WorkerPool",
    metadata: { name: "mail", namespace: "shop" },
    spec: { runtime: "custom", brokerRef: { name: broker.metadata.name }, queues: ["mail"], autoscaling: { backlogPerReplica: 25 } },
  });
});

const mistakes: readonly [command: typeof simulate, line: string, words: string][] = [
  [simulate, "--pool pool.yaml", "simulate needs --pool and --trace"],
  [simulate, "--pool none.yaml --trace arrivals.csv", "--pool none.yaml: cannot be read"],
  [simulate, "--pool few.yaml --trace arrivals.csv", "few.yaml:8: spec.autoscaling.maxReplicas"],
  [simulate, "--pool fixed.yaml --trace arrivals.csv", "spec.autoscaling: missing"],
  [simulate, "--pool scaled.yaml --trace arrivals.csv", "scaled.yaml: no WorkerPool"],
  [simulate, "--pool pool.yaml --name other --trace arrivals.csv", "no WorkerPool named other; it has mail"],
  [simulate, "--pool pool.yaml --trace wrong.csv", "wrong.csv:2: seconds"],
  [simulate, "--pool pool.yaml --trace arrivals.csv --start noon", '--start is "noon"; expected a time'],
  [simulate, "--pool pool.yaml --trace arrivals.csv --startup-seconds -1", "--startup-seconds"],
  [convert, "pool.yaml", "pool.yaml: no ScaledObject; it has WorkerPool"],
  [convert, "job.yaml", "job.yaml:2: ScaledJob mail has no equivalent"],
  [convert, "cpu.yaml", "none is of type rabbitmq"],
  [convert, "scaled.yaml --runtime java", '--runtime is "java"; expected one of custom, celery'],
];
test.for(mistakes)("a mistake is named: %o %s", async ([command, line, words]) => {
  await expect(said(command, line)).rejects.toThrow(words);
});

import { beforeAll, expect, test } from "vitest";
import { audit } from "../bench/drain/audit.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { installed } from "../product/installed.ts";
import { openDrainLab } from "./drain/lab.ts";

/** Idle-only scale-down on real pods: Longshore's own workers, with the operator as the chart installs it. */
const LONGSHORE = { spec: { storeRef: { name: "redis" }, tasks: { configMapRef: { name: "ledger" } } } };
/** Nothing that was cut off can hide behind the grace period: it is far shorter than the tasks. */
const NO_GRACE = { podSpec: { terminationGracePeriodSeconds: 2 } };

let cluster: Cluster;
beforeAll(async () => {
  cluster = await installed();
}, 300_000);

test("while idle pods exist the busy one stays; it goes when its task has ended", async () => {
  await using lab = await openDrainLab(cluster, "drain-idle", { ...LONGSHORE, ...NO_GRACE });
  await lab.send([15_000, 4_000, 4_000, 200, 200, 200]);
  await lab.until("three pods", async () => (await lab.names()).length, 3);
  await lab.until("one task left", () => lab.ledger.ended, 5);
  const [busy] = lab.ledger.entries
    .flatMap((entry) => (entry.event === "start" ? [entry] : []))
    .filter(({ task }) => !lab.ledger.entries.some((entry) => entry.event === "end" && entry.task === task));
  await lab.until("the busy pod alone", lab.names, [busy?.pod]);
  expect(lab.ledger.ended, "its task runs still").toBe(5);
  await lab.until("no pod", lab.names, []);
  await lab.until("every process gone", () => lab.ledger.entries.filter(({ event }) => event === "gone").length, 3);
  expect(audit(lab.ledger.entries)).toEqual({ ended: 6, killedOrRedelivered: [], busyWhenTold: [], untold: [], told: 3 });
  expect(await lab.redelivered()).toBe(0);
});

test("a drain goes on after the operator was killed; when load returns, the pod comes back before any new one starts", async () => {
  await using lab = await openDrainLab(cluster, "drain-return", {
    ...LONGSHORE,
    ...NO_GRACE,
    autoscaling: { maxReplicas: 2, backlogPerReplica: 2 },
  });
  await lab.send([200, 200, 45_000, 45_000]);
  await lab.until("two pods", async () => (await lab.names()).length, 2);
  await lab.until("both busy", lab.running, 2);
  const both = await lab.names();
  await lab.until("one is drained", async () => (await lab.draining()).length, 1);
  const drained = await lab.draining();
  await lab.killLeader();

  await lab.send([200, 200, 200]);
  await lab.until("it is called back", lab.draining, [], 40);
  expect(await lab.names(), "no new pod").toEqual(both);
  await lab.until("no pod", lab.names, [], 90);
  await lab.until("every process gone", () => lab.ledger.entries.filter(({ event }) => event === "gone").length, 2);
  expect(drained).toHaveLength(1);
  expect(audit(lab.ledger.entries)).toEqual({ ended: 7, killedOrRedelivered: [], busyWhenTold: [], untold: [], told: 2 });
  expect(await lab.redelivered()).toBe(0);
});

test("rollouts and evictions let every task end; the pool's budget allows one eviction at a time", async () => {
  await using lab = await openDrainLab(cluster, "drain-rollout", { ...LONGSHORE, autoscaling: { minReplicas: 2, maxReplicas: 2 } });
  const evict = async (pod: string): Promise<string> => {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace: lab.namespace } };
    return await lab.post(`/api/v1/namespaces/${lab.namespace}/pods/${pod}/eviction`, eviction).then(
      () => "evicted",
      (error: unknown) => (/disruption budget/.test(String(error)) ? "refused" : String(error)),
    );
  };
  await lab.kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=60s");
  await lab.send(Array.from({ length: 4 }, () => 6_000));
  await lab.until("both busy", lab.running, 2);
  const before = await lab.names();
  expect(await Promise.all(before.map(evict)).then((answers) => answers.toSorted())).toEqual(["evicted", "refused"]);
  await lab.until("its replacement is there", async () => (await lab.names()).length, 2);

  await lab.kubectl(
    "patch",
    "workerpool",
    "pool",
    "--type=merge",
    "--patch",
    '{"spec":{"template":{"metadata":{"annotations":{"a":"b"}}}}}',
  );
  await lab.until("all pods are new", async () => (await lab.names()).filter((name) => before.includes(name)), []);
  await lab.until("every task has ended", () => lab.ledger.ended, 4);
  expect(audit(lab.ledger.entries).killedOrRedelivered).toEqual([]);
  expect(await lab.redelivered()).toBe(0);
});

import { beforeAll, expect, test } from "vitest";
import { audit } from "../bench/drain/audit.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { installed } from "../product/installed.ts";
import { openDrainLab } from "./drain/lab.ts";

/** Idle-only scale-down on real pods: Longshore's own workers, with the operator as the chart installs it. */
const LONGSHORE = { spec: { storeRef: { name: "redis" }, tasks: { configMapRef: { name: "ledger" } } } };
/** Nothing that was cut off can hide behind the grace period: it is far shorter than the tasks. */
const NO_GRACE = { podSpec: { terminationGracePeriodSeconds: 2 } };

/** To end a hang, and no sooner. */
const LIMIT = { timeout: 600_000 };

let cluster: Cluster;
beforeAll(async () => {
  cluster = await installed();
}, 300_000);

test("while idle pods exist the busy one stays; it goes when its task has ended", LIMIT, async () => {
  await using lab = await openDrainLab(cluster, "drain-idle", { ...LONGSHORE, ...NO_GRACE });
  await lab.send([-1, -1, -1, 200, 200, 200]);
  await lab.until("three pods, each busy", () => lab.busy().length, 3);
  const [busy = "", ...others] = lab.busy();
  lab.release(...others);
  await lab.until("the busy pod alone", lab.names, [busy]);
  expect(lab.ledger.ended, "its task runs still").toBe(5);
  lab.release(busy);
  await lab.until("no pod", lab.names, []);
  await lab.until("every process gone", () => lab.ledger.entries.filter(({ event }) => event === "gone").length, 3);
  expect(audit(lab.ledger.entries)).toEqual({
    ended: 6,
    killedOrRedelivered: [],
    killedOrTwice: [],
    busyWhenTold: [],
    untold: [],
    told: 3,
  });
  expect(await lab.redelivered()).toBe(0);
});

test("a drain goes on after the operator was killed; when load returns, the pod comes back before any new one starts", LIMIT, async () => {
  await using lab = await openDrainLab(cluster, "drain-return", {
    ...LONGSHORE,
    ...NO_GRACE,
    autoscaling: { maxReplicas: 2, backlogPerReplica: 2 },
  });
  await lab.send([200, 200, -1, -1]);
  await lab.until("two pods", async () => (await lab.names()).length, 2);
  await lab.until("both busy", lab.running, 2);
  const both = await lab.names();
  await lab.until("one is drained", async () => (await lab.draining()).length, 1);
  const drained = await lab.draining();
  await lab.killLeader();

  await lab.send([200, 200, 200]);
  await lab.until("it is called back", lab.draining, []);
  expect(await lab.names(), "no new pod").toEqual(both);
  lab.release(...both);
  await lab.until("no pod", lab.names, []);
  await lab.until("every process gone", () => lab.ledger.entries.filter(({ event }) => event === "gone").length, 2);
  expect(drained).toHaveLength(1);
  expect(audit(lab.ledger.entries)).toEqual({
    ended: 7,
    killedOrRedelivered: [],
    killedOrTwice: [],
    busyWhenTold: [],
    untold: [],
    told: 2,
  });
  expect(await lab.redelivered()).toBe(0);
});

test("rollouts and evictions let every task end; the pool's budget allows one eviction at a time", LIMIT, async () => {
  await using lab = await openDrainLab(cluster, "drain-rollout", { ...LONGSHORE, autoscaling: { minReplicas: 2, maxReplicas: 2 } });
  const evict = async (pod: string): Promise<string> => {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace: lab.namespace } };
    return await lab.post(`/api/v1/namespaces/${lab.namespace}/pods/${pod}/eviction`, eviction).then(
      () => "evicted",
      (error: unknown) => (/disruption budget/.test(String(error)) ? "refused" : String(error)),
    );
  };
  await lab.until("two pods", async () => (await lab.names()).length, 2);
  await lab.kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=150s");
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

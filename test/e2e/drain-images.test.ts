import { beforeAll, expect, test } from "vitest";
import { audit } from "../bench/drain/audit.ts";
import { type Cluster, celeryImage } from "../cluster/cluster.ts";
import { installed } from "../product/installed.ts";
import { openDrainLab } from "./drain/lab.ts";

/** Scale-down of images that are not ours: Python Celery workers by remote control, any other consumer by what the broker says of it. */
/** To end a hang, and no sooner. */
const LIMIT = { timeout: 600_000 };

let cluster: Cluster;
let image: string;
beforeAll(async () => {
  cluster = await installed();
  image = await celeryImage();
}, 300_000);

const container = (command: readonly string[]) => ({
  image,
  imagePullPolicy: "IfNotPresent",
  command,
  workingDir: "/tmp",
  env: [{ name: "PYTHONPATH", value: "/opt/celery:/tasks" }],
  securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 65_532, capabilities: { drop: ["ALL"] } },
  volumeMounts: [{ name: "tasks", mountPath: "/tasks" }],
});
const volumes = [{ name: "tasks", configMap: { name: "ledger" } }];

test("Python Celery workers: only idle ones go, though the operator is killed meanwhile", LIMIT, async () => {
  const command =
    "celery -A ledger_tasks worker -n celery@$(POD_NAME) -Q $(LONGSHORE_QUEUES) -c $(LONGSHORE_CONCURRENCY) --loglevel=warning";
  await using lab = await openDrainLab(cluster, "drain-celery", {
    spec: { runtime: "celery" },
    container: container(command.split(" ")),
    podSpec: { volumes, terminationGracePeriodSeconds: 3 },
  });
  await lab.send([-1, -1, -1, 300, 300, 300]);
  await lab.until("three pods, each busy", () => lab.busy().length, 3);
  const [busy = "", ...others] = lab.busy();
  lab.release(...others);
  await lab.killLeader();
  await lab.until("the busy pod alone", lab.names, [busy]);
  expect(lab.ledger.ended, "its task runs still").toBe(5);
  lab.release(busy);
  await lab.until("no pod", lab.names, []);
  await lab.until("each was told, also the last one", () => audit(lab.ledger.entries).told, 3);
  const { busyWhenTold, killedOrRedelivered, ended } = audit(lab.ledger.entries);
  expect({ busyWhenTold, killedOrRedelivered, ended }).toEqual({ busyWhenTold: [], killedOrRedelivered: [], ended: 6 });
  expect(await lab.redelivered()).toBe(0);
});

test("any other consumer: one that the broker says is busy is not removed, and nothing is delivered twice", LIMIT, async () => {
  await using lab = await openDrainLab(cluster, "drain-custom", {
    spec: { runtime: "custom" },
    container: container(["python3", "/tasks/consumer.py"]),
    podSpec: { volumes, terminationGracePeriodSeconds: 10 },
  });
  await lab.send([-1, -1, -1, 300, 300, 300]);
  await lab.until("three pods, each busy", () => lab.busy().length, 3);
  const [busy = "", ...others] = lab.busy();
  lab.release(...others);
  await lab.until("the busy pod alone", lab.names, [busy]);
  expect(lab.ledger.ended, "its task runs still").toBe(5);
  lab.release(busy);
  await lab.until("no pod", lab.names, []);
  const { killedOrRedelivered, busyWhenTold, ended } = audit(lab.ledger.entries);
  expect({ killedOrRedelivered, busyWhenTold, ended }).toEqual({ killedOrRedelivered: [], busyWhenTold: [], ended: 6 });
  expect(await lab.redelivered()).toBe(0);
});

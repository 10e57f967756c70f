import { loadavg } from "node:os";
import type { HeldTask, WorkerSnapshot } from "../protocol/control/control-snapshot.ts";
import type { Running } from "./attempt.ts";
import { decodeDelivery } from "./decode.ts";
import type { Executor } from "./executor.ts";
import type { Tally } from "./tally.ts";

export const SOFTWARE = { name: "longshore", version: "0.1.0" } as const;

function held({ delivery, startedAt, acknowledged = false }: Omit<Running, "control">, task: HeldTask["task"]): HeldTask {
  return {
    task,
    exchange: delivery.exchange,
    routingKey: delivery.routingKey,
    redelivered: delivery.redelivered,
    acknowledged,
    workerPid: process.pid,
    ...(startedAt === undefined ? {} : { startedAt: startedAt / 1_000 }),
  };
}

/** Tasks in slots, and those that wait for one, as remote control lists them. */
export function heldTasks(executor: Executor): { readonly active: readonly HeldTask[]; readonly reserved: readonly HeldTask[] } {
  const active = [...executor.running].flatMap((running) => (running.task === undefined ? [] : [held(running, running.task)]));
  const reserved = executor.waiting.flatMap((delivery) => {
    const decoded = decodeDelivery(delivery);
    return decoded.kind === "task" ? [held({ delivery }, decoded.task)] : [];
  });
  return { active, reserved };
}

/** The broker's address as `inspect stats` shows it; never the password. */
export function brokerInfo(url: string): WorkerSnapshot["broker"] {
  const { hostname, port, username, pathname, protocol } = new URL(url);
  const ssl = protocol.endsWith("s:");
  return {
    hostname,
    port: port === "" ? (ssl ? 5671 : 5672) : Number(port),
    userid: decodeURIComponent(username) || "guest",
    virtualHost: decodeURIComponent(pathname.slice(1)) || "/",
    ssl,
  };
}

/** What worker-online, worker-heartbeat and worker-offline say. Source: celery/worker/heartbeat.py. */
export const vitals = (tally: Tally): Record<string, unknown> => ({
  active: tally.busy,
  processed: tally.finished,
  loadavg: loadavg().map((load) => Math.round(load * 100) / 100),
  sw_ident: SOFTWARE.name,
  sw_ver: SOFTWARE.version,
  sw_sys: process.platform === "linux" ? "Linux" : process.platform,
});

import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** One line of a worker's. `at` is the machine's clock, ms, which all pods of the local cluster share. */
export type Entry =
  | { readonly event: "hello" | "gone"; readonly pod: string; readonly at: number }
  | { readonly event: "told"; readonly pod: string; readonly at: number; readonly busy?: number }
  | { readonly event: "start"; readonly pod: string; readonly at: number; readonly task: string; readonly redelivered: boolean }
  | { readonly event: "end"; readonly pod: string; readonly at: number; readonly task: string };

export interface Ledger extends AsyncDisposable {
  readonly port: number;
  /** In the order in which they arrived; `gone` stands for the end of a worker's connection, which is that of its process. */
  readonly entries: readonly Entry[];
  /** Tasks that run now in the pods of a pool. */
  runningIn(pool: string): number;
  /** Different tasks that have ended in the pods of a pool. */
  endedIn(pool: string): number;
  /** Different tasks that have ended. */
  readonly ended: number;
  /** Ends the tasks of a negative duration that run now in these pods. */
  release(pods: readonly string[]): void;
}

/** Listens for workers and keeps what they write. Load comes from pods of the local cluster only. */
export async function openLedger(): Promise<Ledger> {
  const entries: Entry[] = [];
  const running = new Map<string, string>();
  const ended = new Map<string, string>();
  const sockets = new Set<Socket>();
  /** Where each task runs. */
  const holders = new Map<string, Socket>();
  const keep = (entry: Entry): void => {
    entries.push(entry);
    if (entry.event === "start") running.set(entry.task, entry.pod);
    if (entry.event === "end") {
      running.delete(entry.task);
      ended.set(entry.task, entry.pod);
    }
    if (entry.event === "gone") for (const [task, pod] of running) if (pod === entry.pod) running.delete(task);
  };
  const server = createServer((socket) => {
    let pod = "";
    sockets.add(socket);
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own task
      const entry = JSON.parse(line) as Entry;
      ({ pod } = entry);
      if (entry.event === "start") holders.set(entry.task, socket);
      keep(entry);
    });
    // A pod that is killed resets its connection: that is an end like any other.
    for (const either of [socket, lines]) either.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      // One that ended before it said who it is ran nothing.
      if (pod !== "") keep({ event: "gone", pod, at: Date.now() });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the ledger has no port");
  return {
    port: address.port,
    entries,
    runningIn: (pool) => countIn(running, pool),
    endedIn: (pool) => countIn(ended, pool),
    get ended() {
      return ended.size;
    },
    release(pods) {
      for (const [task, pod] of running) if (pods.includes(pod)) holders.get(task)?.write("\n");
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Pods are named after their Deployment. */
const countIn = (pods: ReadonlyMap<string, string>, pool: string): number =>
  [...pods.values()].filter((pod) => pod.startsWith(`${pool}-`)).length;

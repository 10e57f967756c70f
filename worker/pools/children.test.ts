import { expect, test } from "vitest";
import type { MessageProperties } from "../ports.ts";
import type { Task, TaskContext } from "../tasks/define-task.ts";
import type { ChildOptions } from "./child.ts";
import { childrenPool } from "./children.ts";
import { ChildLost } from "./pool.ts";

/** Children that are no threads: each becomes ready when told, runs a task when told, and counts what it was given. */
function nursery() {
  const born: { ready(): void; finish(value: number): void; die(): void; readonly tasks: number[]; isKilled: boolean }[] = [];
  const open = ({ onMessage, onExit }: ChildOptions) => {
    const child = {
      tasks: [] as number[],
      isKilled: false,
      ready: () => onMessage({ did: "ready" }),
      finish: (value: number) => onMessage({ did: "return", id: child.tasks.at(-1) ?? 0, value: String(value) }),
      die: () => onExit("process ended with 3"),
    };
    born.push(child);
    return {
      pid: born.length,
      post: (message: { readonly do: string; readonly id: number }) => void (message.do === "run" && child.tasks.push(message.id)),
      kill: () => Promise.resolve(void (child.isKilled = true)),
    };
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only orders to run are looked into
  return { born, open: open as unknown as Parameters<typeof childrenPool>[0]["open"] };
}

/* oxlint-disable typescript/no-unsafe-type-assertion -- what a pool never looks at is left out */
const task = { name: "t" } as Task;
const call = () => ({
  key: "k",
  message: { properties: {} as MessageProperties, body: new Uint8Array() },
  kill: new AbortController(),
});
const context = () => ({ signal: new AbortController().signal, redelivered: false, fence: "1", request: {} }) as unknown as TaskContext;
/* oxlint-enable typescript/no-unsafe-type-assertion */
const turn = () => new Promise(setImmediate);

test("a worn child is killed and its successor starts at once; tasks go to the children that are ready", async () => {
  const { born, open } = nursery();
  await using pool = childrenPool({ name: "fake", open, folder: "", maxTasks: 1 });
  const run = () => pool.run(task, undefined, context(), call());
  const [one, other] = [run(), run()];
  expect(born).toHaveLength(2);
  for (const child of born) child.ready();
  await turn();
  born[0]?.finish(10);
  expect(await one).toBe(10);
  expect(born[0]?.isKilled).toBe(true);
  expect(born).toHaveLength(3);
  // It dies later than that, and takes nothing with it.
  born[0]?.die();
  const third = run();
  expect(born, "the third task waits for the successor, no fourth child").toHaveLength(3);
  born[2]?.ready();
  await turn();
  born[2]?.finish(30);
  born[1]?.finish(20);
  expect(await Promise.all([other, third])).toEqual([20, 30]);
});

test("a child that dies rejects its own task alone, also one that waits for it to be ready", async () => {
  const { born, open } = nursery();
  await using pool = childrenPool({ name: "fake", open, folder: "" });
  const run = () => pool.run(task, undefined, context(), call());
  const [waiting, running] = [run(), run()];
  born[1]?.ready();
  await turn();
  born[0]?.die();
  await expect(waiting).rejects.toThrow(ChildLost);
  born[1]?.finish(1);
  expect(await running).toBe(1);
  const next = run();
  await turn();
  born[1]?.finish(2);
  expect(await next).toBe(2);
  expect(born).toHaveLength(2);
});

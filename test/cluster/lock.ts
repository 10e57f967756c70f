import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { home } from "./home.ts";
import { startTimeOf } from "./process-table.ts";
import { say } from "./progress.ts";

interface Owner {
  readonly pid: number;
  readonly startTime: string;
}

/** Lets the holders of one name take turns, across processes. A holder that died is recognised by its pid and start time, and replaced. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const path = join(home().root, "locks", `${name}.lock`);
  await acquire(path, name);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string, name: string): Promise<void> {
  const mine: Owner = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "" };
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(mine)); // written first and linked after: nobody ever reads half an owner
  try {
    for (let turn = 0; ; turn++) {
      if (
        await link(draft, path).then(
          () => true,
          () => false,
        )
      )
        return;
      const owner = await readFile(path, "utf8").then(
        (text) => JSON.parse(text) as Owner,
        () => undefined,
      );
      if (owner && startTimeOf(owner.pid) !== owner.startTime) await takeAway(path, owner);
      else if (turn === 20 && owner?.pid !== process.pid) say(`waiting for process ${owner?.pid}, which has the lock "${name}"`);
      await sleep(100);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** Renaming is atomic, so of several waiters only one takes a dead owner's lock; a lock that changed hands meanwhile is put back. */
async function takeAway(path: string, dead: Owner): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  if (
    !(await rename(path, aside).then(
      () => true,
      () => false,
    ))
  )
    return;
  const taken = JSON.parse(await readFile(aside, "utf8")) as Owner;
  if (taken.pid !== dead.pid || taken.startTime !== dead.startTime) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

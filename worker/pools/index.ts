import { asyncPool } from "./async.ts";
import { openProcess, openThread } from "./child.ts";
import { childrenPool } from "./children.ts";
import type { Pool } from "./pool.ts";

export interface PoolOptions {
  readonly folder: string;
  readonly maxTasks?: number;
  readonly maxMemoryMb?: number;
}

const threads = (options: PoolOptions): Pool => childrenPool({ name: "threads", open: openThread, ...options });
const processes = (options: PoolOptions): Pool => childrenPool({ name: "processes", open: openProcess, ...options });

/** Pools by name, with Celery's `-P` names as aliases. `solo` is one slot on this thread's event loop. */
const POOLS: Readonly<Record<string, (options: PoolOptions) => Pool>> = {
  async: asyncPool,
  gevent: asyncPool,
  eventlet: asyncPool,
  solo: asyncPool,
  threads,
  processes,
  prefork: processes,
};

/** Opens a pool. Throws an Error that names what exists. */
export function openPool(name: string, options: PoolOptions): Pool {
  const open = Object.hasOwn(POOLS, name) ? POOLS[name] : undefined;
  if (open === undefined) throw new Error(`pool "${name}" does not exist; choose one of ${Object.keys(POOLS).join(", ")}`);
  return open(options);
}

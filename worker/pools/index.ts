import { asyncPool } from "./async.ts";
import type { Pool } from "./pool.ts";

/** Pools by name, with Celery's `-P` names as aliases. */
const POOLS: Readonly<Record<string, () => Pool>> = { async: asyncPool, gevent: asyncPool, eventlet: asyncPool };

/** Opens a pool. Throws an Error that names what exists. */
export function openPool(name: string): Pool {
  const open = Object.hasOwn(POOLS, name) ? POOLS[name] : undefined;
  if (open === undefined) throw new Error(`pool "${name}" does not exist; choose one of ${Object.keys(POOLS).join(", ")}`);
  return open();
}

import { redisTarget } from "../../../worker/contract/redis-url.ts";
import type { StoreEndpoint } from "../../adapters/ports.ts";

/** Why a text leads to no Redis; holds no part of its login. */
export interface InvalidStoreUri {
  readonly message: string;
}

const EXPECTED =
  "expected redis(s)://user:password@host:port/db or sentinel://user:password@host:port,host:port/master/db, with special characters percent-encoded";

/**
 * Where a Redis is, from the URI in the Secret: `redis(s)://user:password@host:port/db`, or Sentinels as `redisTarget` has them.
 * Never throws, never shows a login.
 */
export function storeEndpoint(uri: string): StoreEndpoint | InvalidStoreUri {
  const text = uri.trim();
  if (text.startsWith("sentinel:")) return sentinelEndpoint(text);
  const url = URL.parse(text);
  const db = url?.pathname.replace(/^\//, "") ?? "";
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^\d*$/.test(db)) return { message: EXPECTED };
  return { uri: text, display: `${url.hostname}:${url.port === "" ? "6379" : url.port}/${db === "" ? "0" : db}` };
}

function sentinelEndpoint(text: string): StoreEndpoint | InvalidStoreUri {
  try {
    const target = redisTarget(text, "uri");
    if (!("sentinel" in target)) return { message: EXPECTED };
    const { sentinels, name, db } = target.sentinel;
    const hosts = sentinels.map(({ host, port }) => `${host}:${port}`).join(",");
    return { uri: text, display: `sentinel ${hosts}/${name}/${db}` };
  } catch {
    // Says the same, of one setting of the worker's.
    return { message: EXPECTED };
  }
}

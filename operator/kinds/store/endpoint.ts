import type { StoreEndpoint } from "../../adapters/ports.ts";

/** Why a text leads to no Redis; holds no part of its login. */
export interface InvalidStoreUri {
  readonly message: string;
}

/** Where a Redis is, from the URI in the Secret: `redis(s)://user:password@host:port/db`. Never throws, never shows a login. */
export function storeEndpoint(uri: string): StoreEndpoint | InvalidStoreUri {
  const text = uri.trim();
  const url = URL.parse(text);
  if (url?.protocol === "sentinel:") return { message: "sentinel:// is not supported yet; give the primary's redis:// address" };
  const db = url?.pathname.replace(/^\//, "") ?? "";
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^\d*$/.test(db)) {
    return { message: "expected redis(s)://user:password@host:port/db, with special characters percent-encoded" };
  }
  return { uri: text, display: `${url.hostname}:${url.port === "" ? "6379" : url.port}/${db === "" ? "0" : db}` };
}

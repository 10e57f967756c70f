import { expect, test } from "vitest";
import { storeRisk } from "./store-risk.ts";

const info = (...lines: string[]): string => ["# Server", "redis_version:8.0.2", ...lines, ""].join("\r\n");

test.for<[why: string, info: string, want: unknown]>([
  ["nothing is evicted", info("redis_mode:standalone", "maxmemory:0", "maxmemory_policy:noeviction"), { clustered: false }],
  ["it does not say", info(), { clustered: false }],
  ["a node of a cluster", info("redis_mode:cluster", "cluster_enabled:1"), { clustered: true }],
  [
    "keys may go",
    info("maxmemory:100", "maxmemory_policy:allkeys-lru"),
    { clustered: false, warning: expect.stringMatching(/is allkeys-lru and its memory is limited.*noeviction/) },
  ],
  [
    "they may once there is a limit",
    info("maxmemory:0", "maxmemory_policy:volatile-ttl"),
    { clustered: false, warning: expect.stringMatching(/is volatile-ttl: it may drop/) },
  ],
])("%s", ([, text, want]) => expect(storeRisk(text)).toEqual(want));

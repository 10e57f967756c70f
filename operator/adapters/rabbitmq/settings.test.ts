import { expect, test } from "vitest";
import { BrokerError } from "../ports.ts";
import type { Call, ManagementApi } from "./http.ts";
import { createSettings } from "./settings.ts";

const vhost = { type: "vhost", name: "tenant", properties: { description: "", tags: [], tracing: false, limits: {} } } as const;
const grant = "PUT /permissions/tenant/me";

test.for([
  ["that is made at once: the broker gives its maker what it needs", 0, false, 0],
  ["whose making failed half-way: its maker gives that to itself", 1, false, 1],
  ["where it has permissions already, they stay as they are", 1, true, 0],
] as const)("a vhost %s", async ([, failures, permitted, grants]) => {
  const calls: string[] = [];
  let left: number = failures;
  const api: ManagementApi = {
    async call({ method, path }: Call) {
      calls.push(`${method} ${path}`);
      if (path === "/vhosts/tenant" && left-- > 0) throw new BrokerError("unavailable", "management", "failed_to_start_vhost_on_nodes");
      if (method === "GET" && path.startsWith("/permissions/") && !permitted) throw new BrokerError("missing", "management", "Not Found");
      return method === "GET" ? [] : undefined;
    },
    callUnless: async () => "unchanged",
    [Symbol.dispose]: () => undefined,
  };
  const settings = createSettings(api, "/", "me");
  for (let tries = 0; tries < failures; tries++) await expect(settings.declare(vhost)).rejects.toThrow("failed_to_start");
  await settings.declare(vhost);
  await settings.declare(vhost);
  expect(calls.filter((call) => call === grant)).toHaveLength(grants);
});

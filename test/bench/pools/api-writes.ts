import type { ApiServer } from "../../integration/api-server.ts";

const WRITES: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE", "APPLY"]);

/** Successful and failed writes that an API server has counted, by resource: `pods`, `workerpools/status`. Leases are left out: they are renewed. */
export async function apiWrites(server: ApiServer): Promise<ReadonlyMap<string, number>> {
  const { code, out, error } = await server.kubectl(["get", "--raw", "/metrics"]);
  if (code !== 0) throw new Error(`the API server's metrics cannot be read: ${error}`);
  const counts = new Map<string, number>();
  for (const [, labels = "", value = "0"] of out.matchAll(/^apiserver_request_total\{([^}]*)\} (\S+)$/gm)) {
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
    if (!WRITES.has(label("verb")) || label("resource") === "leases") continue;
    const what = [label("resource"), label("subresource")].filter(Boolean).join("/");
    counts.set(what, (counts.get(what) ?? 0) + Number(value));
  }
  return counts;
}

/** What was written between two counts. */
export const writesBetween = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries([...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)] as const).filter(([, count]) => count > 0));

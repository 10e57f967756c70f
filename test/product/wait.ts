import type { Cluster } from "../cluster/cluster.ts";
import { kubectl } from "./kubectl.ts";

export interface PoolView {
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly desiredReplicas?: number;
    readonly drainingReplicas?: number;
    readonly busy?: number;
    readonly backlog?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[];
  };
}

/** The Ready condition, or undefined before the operator has looked. */
export const readyOf = (pool: PoolView) => pool.status?.conditions?.find(({ type }) => type === "Ready");

/** Looks at an object until it is as wanted; throws with its last status after `seconds`. */
export async function eventually<T extends { status?: unknown }>(
  cluster: Cluster,
  namespace: string,
  object: string,
  what: string,
  wanted: (object: T) => boolean,
  seconds: number,
): Promise<T> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const seen = JSON.parse(await kubectl(cluster, ["--namespace", namespace, "get", object, "-o", "json"])) as T;
    if (wanted(seen)) return seen;
    if (performance.now() > deadline)
      throw new Error(`${object} was not ${what} within ${seconds} s; its status: ${JSON.stringify(seen.status)}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

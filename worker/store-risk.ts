/** What Redis says of itself, as far as leases care. */
export interface StoreRisk {
  /** A node of a Redis Cluster: a lease and its result lie in different slots there and cannot be changed together. */
  readonly clustered: boolean;
  /** What to tell the user when this Redis may forget leases; absent when it may not, or does not say. */
  readonly warning?: string;
}

/** Reads the reply of `INFO`. Pure; what a server leaves out is taken for harmless. */
export function storeRisk(info: string): StoreRisk {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const clustered = field("redis_mode") === "cluster" || field("cluster_enabled") === "1";
  const policy = field("maxmemory_policy") ?? "noeviction";
  if (policy === "noeviction") return { clustered };
  const limited = field("maxmemory") !== "0" ? " and its memory is limited" : "";
  const warning = `the store's maxmemory-policy is ${policy}${limited}: it may drop leases and results, and an effect could run twice; set maxmemory-policy noeviction`;
  return { clustered, warning };
}

import type { Deployment } from "../kinds/worker-pool/deployment.ts";

/** Our own patch is believed over an older cache for at most this long, ms. */
const BELIEVE_MS = 5_000;

/** The size of a Deployment, with our own last patch ahead of the cache that has not seen it yet. */
export interface ScaleView {
  replicas(deployment: Deployment, now: number): number;
  patched(replicas: number, resourceVersion: string | undefined, now: number): void;
  /** ms since the scale was changed by us, or since we began to look. */
  unchangedForMs(now: number): number;
}

export function createScaleView(since: number): ScaleView {
  let patch: { readonly replicas: number; readonly resourceVersion: string | undefined; readonly at: number } | undefined;
  return {
    replicas({ metadata, spec }, now) {
      const seen = spec.replicas ?? 1;
      if (patch === undefined || now - patch.at > BELIEVE_MS) return seen;
      return isOlder(metadata.resourceVersion, patch.resourceVersion) ? patch.replicas : seen;
    },
    patched(replicas, resourceVersion, now) {
      patch = { replicas, resourceVersion, at: now };
    },
    unchangedForMs: (now) => now - (patch?.at ?? since),
  };
}

/** Versions of one resource are comparable as numbers (KEP-5504). What is no number is taken for newer. */
function isOlder(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined || !/^\d+$/.test(one) || !/^\d+$/.test(other)) return false;
  return BigInt(one) < BigInt(other);
}

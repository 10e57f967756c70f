import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiServer } from "./api-server.ts";

const PROBE = JSON.stringify({
  apiVersion: "longshore.dev/v1alpha1",
  kind: "Vhost",
  metadata: { name: "is-it-protected", namespace: "default" },
  spec: { brokerRef: { name: "nowhere" } },
});

/** Installs the admission policy that protects objects as they are created, and waits until the API server goes by it. The CRDs are there already. */
export async function protect(server: ApiServer): Promise<void> {
  const applied = await server.kubectl(["apply", "--server-side", "-f", join(import.meta.dirname, "../../manifests/protection.yaml")]);
  if (applied.code !== 0) throw new Error(applied.error);
  let said = "";
  for (let tries = 0; tries < 300; tries += 1) {
    // Right after a CRD was made the API server may not know the kind for its policies yet.
    const { out, error } = await server.kubectl(["create", "--dry-run=server", "-o", "jsonpath={.metadata.finalizers}", "-f", "-"], PROBE);
    if (out.includes("longshore.dev/protection")) return;
    said = error;
    await delay(100);
  }
  throw new Error(`30 s after its admission policy was made the API server does not protect objects: ${said}`);
}

import { createHash } from "node:crypto";
import type { KubePort, Resource } from "../../adapters/ports.ts";
import type { Deployment } from "./deployment.ts";

export const DEPLOYMENTS: Resource = { group: "apps", version: "v1", plural: "deployments", kind: "Deployment" };

/** Annotation on the Deployment: a digest of what was applied last, so that a field taken out of the spec is noticed. */
const APPLIED_ANNOTATION = "longshore.dev/applied";

/**
 * Makes the Deployment what is desired, by server-side apply, and only where it is not: nothing is written while nothing changed.
 * On an existing one the write carries its version: if anyone changed it meanwhile, above all its scale, the API server refuses (`KubeError` 409)
 * and the next try sees the newer one. Resolves with the Deployment as it is then.
 */
export async function applyDeployment(
  kube: Pick<KubePort, "apply">,
  desired: Deployment,
  current: Deployment | undefined,
): Promise<Deployment> {
  const applied = digestOf(desired);
  if (current !== undefined && current.metadata.annotations?.[APPLIED_ANNOTATION] === applied && covers(desired, current)) return current;
  const resourceVersion = current?.metadata.resourceVersion;
  const metadata = {
    ...desired.metadata,
    annotations: { ...desired.metadata.annotations, [APPLIED_ANNOTATION]: applied },
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
  return await kube.apply<Deployment>(DEPLOYMENTS, { ...desired, metadata });
}

/** Without the replicas: they belong to the autoscaler, and change without anything being applied. */
function digestOf({ metadata, spec }: Deployment): string {
  return createHash("sha256")
    .update(JSON.stringify({ metadata, spec: { ...spec, replicas: 0 } }))
    .digest("hex")
    .slice(0, 16);
}

/** Whether everything said in `desired` stands in `current` too, which has defaults and other owners' fields beside it. */
function covers(desired: unknown, current: unknown): boolean {
  if (Array.isArray(desired)) {
    return Array.isArray(current) && current.length === desired.length && desired.every((item, index) => covers(item, current[index]));
  }
  if (typeof desired === "object" && desired !== null) {
    if (typeof current !== "object" || current === null) return false;
    const fields = current as Readonly<Record<string, unknown>>;
    return Object.entries(desired).every(([name, value]) => covers(value, fields[name]));
  }
  return desired === current;
}

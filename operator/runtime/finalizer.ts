import type { KubePort, Resource } from "../adapters/ports.ts";
import { isKubeError } from "./kube-error.ts";
import { isDeleting, type KubeObject } from "./object.ts";

export const FINALIZER = "longshore.dev/finalizer";

/**
 * The finalizer that an admission policy puts on objects as they are created, where there is one (`manifests/protection.yaml`): they go only when we let
 * them, as with ours, and it costs no write. It does not say that anything stands outside Kubernetes because of them.
 */
export const PROTECTION = "longshore.dev/protection";

export const hasFinalizer = ({ metadata }: KubeObject): boolean => metadata.finalizers?.includes(FINALIZER) === true;

export const isProtected = ({ metadata }: KubeObject): boolean => metadata.finalizers?.includes(PROTECTION) === true;

/** Whether it goes only when we let it. */
export const isHeld = (object: KubeObject): boolean => hasFinalizer(object) || isProtected(object);

/**
 * Puts our finalizer on an object; call it before the first effect outside Kubernetes. Does nothing where it stands already.
 * Never touches the finalizers of others: the patch carries the version that was read, and a newer one is a conflict.
 * Throws `KubeError`; 409 when the object changed meanwhile, which the next try settles. Returns the object as it is then.
 */
export async function addFinalizer<T extends KubeObject>(kube: Pick<KubePort, "patch">, resource: Resource, object: T): Promise<T> {
  if (hasFinalizer(object) || isDeleting(object)) return object;
  return patchFinalizers(kube, resource, object, [...(object.metadata.finalizers ?? []), FINALIZER]);
}

/**
 * Takes our finalizer away, and the protection; call it when everything outside Kubernetes is cleaned up. An object that is gone is a success.
 * Throws `KubeError`, as `addFinalizer`.
 */
export async function removeFinalizer(kube: Pick<KubePort, "patch">, resource: Resource, object: KubeObject): Promise<void> {
  if (!isHeld(object)) return;
  const others = (object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER && finalizer !== PROTECTION);
  try {
    await patchFinalizers(kube, resource, object, others);
  } catch (error) {
    if (!isKubeError(error, 404)) throw error;
  }
}

const patchFinalizers = <T extends KubeObject>(
  kube: Pick<KubePort, "patch">,
  resource: Resource,
  { metadata: { namespace, name, resourceVersion } }: T,
  finalizers: readonly string[],
): Promise<T> => kube.patch<T>(resource, namespace, name, { metadata: { finalizers, resourceVersion } });

import type { BrokerObject, KubePort, Resource } from "../adapters/ports.ts";
import { FINALIZER, hasFinalizer, isHeld } from "../runtime/finalizer.ts";
import type { KubeObject } from "../runtime/object.ts";
import { digestOf, identityOf } from "./identity.ts";

/**
 * Annotation with the digests of the bindings that this object has put on the broker, by comma. It is written BEFORE a binding is declared, so
 * that a binding taken out of the spec is removed even if the operator dies in between, while a foreign binding on the same queue is left alone.
 * Digests and not bindings, because an object may have 1,000 of them and annotations 256 KiB.
 */
const BINDINGS_ANNOTATION = "longshore.dev/bindings";

/** Most objects have no bindings of their own: thousands share one empty set. */
const NONE: ReadonlySet<string> = new Set();

export function ownedOf({ metadata }: KubeObject): ReadonlySet<string> {
  const text = metadata.annotations?.[BINDINGS_ANNOTATION] ?? "";
  return text === "" ? NONE : new Set(text.split(","));
}

export function bindingDigests(objects: readonly BrokerObject[]): ReadonlySet<string> {
  const bindings = objects.filter(({ type }) => type === "binding");
  return bindings.length === 0 ? NONE : new Set(bindings.map((object) => digestOf(identityOf(object))));
}

/** Whether the broker may be changed for this object: it will be cleaned up after, and every binding to come is written down. */
export const isOwned = (object: KubeObject, wanted: ReadonlySet<string>): boolean => isHeld(object) && wanted.isSubsetOf(ownedOf(object));

/**
 * Writes down what this object owns on the broker: our finalizer and the digests, in one patch. Never touches the finalizers of others.
 * Throws `KubeError`; 409 when the object changed meanwhile. Resolves with the object as it is then.
 */
export async function writeOwned<T extends KubeObject>(
  kube: Pick<KubePort, "patch">,
  resource: Resource,
  object: T,
  digests: ReadonlySet<string>,
): Promise<T> {
  const { namespace, name, uid, resourceVersion, finalizers = [] } = object.metadata;
  const annotations = { [BINDINGS_ANNOTATION]: digests.size === 0 ? null : [...digests].toSorted().join(",") };
  const metadata = { uid, annotations, ...(hasFinalizer(object) ? {} : { resourceVersion, finalizers: [...finalizers, FINALIZER] }) };
  return kube.patch<T>(resource, namespace, name, { metadata });
}

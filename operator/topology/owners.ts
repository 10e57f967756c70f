import type { TopologyObject } from "../kinds/topology-kind.ts";
import { hasFinalizer, isProtected } from "../runtime/finalizer.ts";

/**
 * Whose things stand on the broker because of them, and go with them: by our finalizer; by the status, where the API server protects objects as they
 * are created and one write is enough; by memory until that is written.
 */
export interface Owners {
  owns(object: TopologyObject): boolean;
  /** The broker was seen to have what this one wants, exactly so. */
  took(uid: string): void;
  /** What the status is to say of it: nothing where only the finalizer does. */
  mark(object: TopologyObject): true | undefined;
  forget(uid: string): void;
}

export function createOwners(): Owners {
  const taken = new Set<string>();
  const isWritten = ({ status }: TopologyObject): boolean => status?.owned === true;
  return {
    owns: (object) => hasFinalizer(object) || isWritten(object) || taken.has(object.metadata.uid ?? ""),
    took: (uid) => void taken.add(uid),
    mark: (object) => (isWritten(object) || (taken.has(object.metadata.uid ?? "") && isProtected(object)) ? true : undefined),
    forget: (uid) => void taken.delete(uid),
  };
}

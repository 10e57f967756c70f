import type { BrokerObject } from "../adapters/ports.ts";
import type { Kind, ObjectOf } from "../runtime/define-kind.ts";
import type { Condition, KubeObject } from "../runtime/object.ts";

/** An object of any kind that wants something of a broker, as far as all of them are alike. */
export interface TopologyObject extends KubeObject {
  readonly spec: {
    readonly brokerRef: { readonly name: string; readonly namespace?: string | undefined };
    readonly deletionPolicy: "Delete" | "Retain" | "DeleteIfEmpty";
    /** Of queues: what to do when the broker's has other properties, which cannot be changed. */
    readonly updatePolicy?: "Refuse" | "Migrate" | undefined;
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly repairs?: number;
    readonly plan?: readonly string[];
    readonly owned?: boolean;
  };
}

/** A value of a Secret, in the object's own namespace, that must be known before the object can be declared. */
export interface SecretNeed {
  /** What `desired` finds it by. */
  readonly as: string;
  readonly secret: string;
  readonly key: string;
  /** The broker takes a salted hash of it, and so does `desired`. */
  readonly hashed?: boolean;
  /** When there is no such Secret it is made, with a new password at `key`, and with these values. */
  readonly generate?: Readonly<Record<string, string>>;
}

/** By `as`; what is not known yet is absent. */
export type SecretValues = ReadonlyMap<string, string>;

/** A kind whose objects stand for things on a broker: all that topology knows of it. */
export interface TopologyKind {
  readonly kind: Kind;
  /** What the object wants, the thing that it stands for first. Pure; names do not depend on the values of Secrets. */
  readonly desired: (object: TopologyObject, values: SecretValues) => readonly BrokerObject[];
  readonly needs: (object: TopologyObject) => readonly SecretNeed[];
  /** Whether what the object stands for goes by itself when its work is done: that is no drift. */
  readonly ends: (object: TopologyObject) => boolean;
  /** What an object of this kind wants never changes: it need not be written down what it wanted before. */
  readonly fixed: boolean;
}

interface Wishes<T> {
  readonly desired: (object: T, values: SecretValues) => readonly BrokerObject[];
  readonly needs?: (object: T) => readonly SecretNeed[];
  readonly ends?: (object: T) => boolean;
  readonly fixed?: boolean;
}

/** Ties a kind to what its objects want. The API server has checked them against the kind's schema. */
export function topologyKind<K extends Kind>(
  kind: K,
  { desired, needs = () => [], ends = () => false, fixed = false }: Wishes<ObjectOf<K>>,
): TopologyKind {
  const own = (object: TopologyObject): ObjectOf<K> => object as KubeObject as ObjectOf<K>;
  return {
    kind,
    desired: (object, values) => desired(own(object), values),
    needs: (object) => needs(own(object)),
    ends: (object) => ends(own(object)),
    fixed,
  };
}

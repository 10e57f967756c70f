import type * as z from "zod";
import type { Resource } from "../adapters/ports.ts";
import type { Condition, KubeObject } from "./object.ts";

export const GROUP = "longshore.dev";
export const VERSION = "v1alpha1";

/** A rule that the API server checks (CEL): no webhook. `path` is where it stands, below `spec`; default the spec itself. */
export interface CelRule {
  readonly path?: string;
  /** Field, below `path`, that the refusal names; default `path` itself. */
  readonly field?: string;
  readonly rule: string;
  readonly message: string;
}

/** A column of `kubectl get`. Priority 1 is shown with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "date" | "boolean";
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 0 | 1;
}

/** What the operator must be allowed to do for a kind, beside reading the kind's objects and writing their status and finalizers. */
export interface Permission {
  readonly apiGroup: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Shown as a comment in the generated role: why it is needed. */
  readonly why: string;
}

export interface Kind<Spec extends z.ZodObject = z.ZodObject, Status extends z.ZodObject = z.ZodObject> {
  readonly kind: string;
  readonly plural: string;
  /** Where something is named after the object that takes less than the API's 253 characters. */
  readonly maxNameLength?: number;
  readonly shortNames: readonly string[];
  /** First line of `kubectl explain <kind>`. */
  readonly description: string;
  readonly spec: Spec;
  readonly status: Status;
  /** Fields below `spec` that cannot change once set; they become CEL. */
  readonly immutable: readonly string[];
  readonly rules: readonly CelRule[];
  /** Rules that speak of `metadata.name` as well: `self` is the whole object, and so is what `field` is below. */
  readonly rootRules?: readonly CelRule[];
  readonly columns: readonly Column[];
  readonly scale?: { readonly specReplicas: string; readonly statusReplicas: string; readonly selector: string };
  readonly permissions: readonly Permission[];
  /** Whether objects carry our finalizer because something outside Kubernetes must be cleaned up. */
  readonly finalizer: boolean;
}

/** Declares a kind. CRD, RBAC, chart, reference and printer columns all come from this value; nothing else defines them. */
export function defineKind<Spec extends z.ZodObject, Status extends z.ZodObject>(kind: Kind<Spec, Status>): Kind<Spec, Status> {
  return kind;
}

/** Where a kind's objects are in the API. */
export const resourceOf = ({ kind, plural }: Pick<Kind, "kind" | "plural">): Resource => ({ group: GROUP, version: VERSION, plural, kind });

/** An object of a kind, with the defaults that the API server filled in. */
export interface ObjectOf<K extends Kind> extends KubeObject {
  readonly spec: z.output<K["spec"]>;
  readonly status?: Partial<z.output<K["status"]>> & { readonly conditions?: readonly Condition[] };
}

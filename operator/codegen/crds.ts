import { GROUP, type Kind, VERSION } from "../runtime/define-kind.ts";
import { type SchemaNode, specSchema, structuralSchema } from "./schema.ts";

/** A CustomResourceDefinition, as far as anyone here looks into it. */
export interface Crd {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: SchemaNode }; readonly [key: string]: unknown }];
  };
}

/** The CRD of a kind: everything the API server must know of it. Pure; throws where the kind says what a CRD cannot. */
export function crdOf(kind: Kind): Crd {
  const { scale } = kind;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${kind.plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: kind.shortNames,
        categories: ["longshore"],
      },
      scope: "Namespaced",
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: rootSchema(kind) },
          subresources: {
            status: {},
            ...(scale && {
              scale: { specReplicasPath: scale.specReplicas, statusReplicasPath: scale.statusReplicas, labelSelectorPath: scale.selector },
            }),
          },
          additionalPrinterColumns: kind.columns,
        },
      ],
    },
  } as Crd;
}

function rootSchema(kind: Kind): SchemaNode {
  return {
    type: "object",
    description: kind.description,
    required: ["spec"],
    ...(kind.rootRules !== undefined && {
      "x-kubernetes-validations": kind.rootRules.map(({ field, rule, message }) => ({
        rule,
        message,
        ...(field !== undefined && { fieldPath: `.${field}` }),
      })),
    }),
    properties: {
      apiVersion: { type: "string", description: `${GROUP}/${VERSION}` },
      kind: { type: "string", description: kind.kind },
      metadata: {
        type: "object",
        // A rule that speaks of the name needs its bound, to reckon its cost.
        ...((kind.maxNameLength !== undefined || kind.rootRules !== undefined) && {
          properties: { name: { type: "string", maxLength: kind.maxNameLength ?? 253 } },
        }),
      },
      spec: specSchema(kind),
      status: {
        ...structuralSchema(kind.status, "status"),
        description: `What Longshore saw of this ${kind.kind}; written by the operator only.`,
      },
    },
  };
}

import { stringify } from "yaml";
import { GROUP } from "../runtime/define-kind.ts";
import { PROTECTION } from "../runtime/finalizer.ts";

const API = "admissionregistration.k8s.io/v1";
const KIND = "MutatingAdmissionPolicy";

/**
 * The admission policy that puts the protection on objects as they are created, and its binding: so the operator need not write to each before it
 * changes the broker. It ignores its own failures, for without the protection the operator writes. Kubernetes 1.36 and later
 * (kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy).
 * @param plurals of the kinds whose objects stand for something on a broker
 */
export function protectionManifest(plurals: readonly string[]): readonly object[] {
  const metadata = { name: "longshore-protection" };
  return [
    { apiVersion: API, kind: KIND, metadata, spec: policy(plurals) },
    { apiVersion: API, kind: `${KIND}Binding`, metadata, spec: { policyName: metadata.name } },
  ];
}

/** The same for the chart, where the API server has the kind; only in the namespaces that the operator serves, as elsewhere nobody would let objects go. */
export function protectionTemplate(plurals: readonly string[]): string {
  const meta = `metadata:
  name: {{ include "longshore.fullname" . }}-protection
  labels:
    {{- include "longshore.labels" . | nindent 4 }}
`;
  return `{{- if and .Values.protection.enabled (.Capabilities.APIVersions.Has "${API}/${KIND}") }}
apiVersion: ${API}
kind: ${KIND}
${meta}${stringify({ spec: policy(plurals) }, { lineWidth: 0 })}---
apiVersion: ${API}
kind: ${KIND}Binding
${meta}spec:
  policyName: {{ include "longshore.fullname" . }}-protection
  {{- with .Values.watchNamespaces }}
  matchResources:
    namespaceSelector:
      matchExpressions:
        - key: kubernetes.io/metadata.name
          operator: In
          values:
            {{- toYaml . | nindent 12 }}
  {{- end }}
{{- end }}
`;
}

const policy = (plurals: readonly string[]): object => ({
  matchConstraints: {
    resourceRules: [{ apiGroups: [GROUP], apiVersions: ["*"], operations: ["CREATE"], resources: plurals.toSorted() }],
  },
  matchConditions: [
    {
      name: "unprotected",
      expression: `!has(object.metadata.finalizers) || !object.metadata.finalizers.exists(one, one == '${PROTECTION}')`,
    },
  ],
  failurePolicy: "Ignore",
  reinvocationPolicy: "Never",
  mutations: [
    {
      patchType: "JSONPatch",
      jsonPatch: {
        expression: [
          "has(object.metadata.finalizers)",
          `? [JSONPatch{op: "add", path: "/metadata/finalizers/-", value: "${PROTECTION}"}]`,
          `: [JSONPatch{op: "add", path: "/metadata/finalizers", value: ["${PROTECTION}"]}]`,
        ].join(" "),
      },
    },
  ],
});

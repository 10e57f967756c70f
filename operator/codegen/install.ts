import { parse } from "yaml";
import type { Kind } from "../runtime/define-kind.ts";
import { crdOf } from "./crds.ts";
import { leaseRules, operatorRules, type Rule, rulesYaml, userRules } from "./rbac.ts";

const NAME = "longshore";
const NAMESPACE = "longshore-system";
const USER = 65_532;
const PORT = 8080;

const SELECTOR = { "app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": NAME, "app.kubernetes.io/component": "operator" };

/**
 * What the chart installs with its default values, for those without Helm, in the order of `kubectl apply`. Pure: nothing is rendered by Helm,
 * so that it can be checked where there is none; a test on a machine that has Helm holds the two against each other.
 */
export function installManifest(kinds: readonly Kind[], version: string): readonly object[] {
  const labels = {
    "app.kubernetes.io/name": NAME,
    "app.kubernetes.io/instance": NAME,
    "app.kubernetes.io/version": version,
    "app.kubernetes.io/part-of": NAME,
  };
  const meta = (name: string, more: object = {}) => ({ name, namespace: NAMESPACE, labels: { ...labels, ...more } });
  const clusterMeta = (name: string, more: object = {}) => ({ name, labels: { ...labels, ...more } });
  const { view, edit } = userRules(kinds);
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: NAMESPACE, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    },
    ...kinds.map((kind) => {
      const { metadata, ...crd } = crdOf(kind);
      return { ...crd, metadata: { ...metadata, labels } };
    }),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: meta(NAME), automountServiceAccountToken: false },
    role("ClusterRole", clusterMeta(NAME), operatorRules(kinds)),
    binding("ClusterRole", clusterMeta(NAME)),
    role("Role", meta(`${NAME}-lease`), leaseRules(NAME)),
    binding("Role", meta(`${NAME}-lease`)),
    role("ClusterRole", clusterMeta(`${NAME}-view`, aggregateTo("view", "edit", "admin")), view),
    role("ClusterRole", clusterMeta(`${NAME}-edit`, aggregateTo("edit", "admin")), edit),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: meta(`${NAME}-metrics`),
      spec: { clusterIP: "None", selector: SELECTOR, ports: [{ name: "http", port: PORT, targetPort: "http" }] },
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: meta(NAME),
      spec: { maxUnavailable: 1, selector: { matchLabels: SELECTOR } },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: meta(NAME, { "app.kubernetes.io/component": "operator" }),
      spec: deployment(version),
    },
  ];
}

const API = "rbac.authorization.k8s.io";

const role = (kind: "Role" | "ClusterRole", metadata: object, rules: readonly Rule[]) => ({
  apiVersion: `${API}/v1`,
  kind,
  metadata,
  rules: parse(rulesYaml(rules)) as unknown,
});

const binding = (kind: "Role" | "ClusterRole", metadata: { readonly name: string }) => ({
  apiVersion: `${API}/v1`,
  kind: `${kind}Binding`,
  metadata,
  roleRef: { apiGroup: API, kind, name: metadata.name },
  subjects: [{ kind: "ServiceAccount", name: NAME, namespace: NAMESPACE }],
});

const aggregateTo = (...roles: readonly string[]) => Object.fromEntries(roles.map((name) => [`${API}/aggregate-to-${name}`, "true"]));

const probe = (path: string, more: object) => ({ httpGet: { path, port: "http" }, ...more });

const fromField = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

function deployment(version: string): object {
  return {
    replicas: 2,
    revisionHistoryLimit: 3,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    selector: { matchLabels: SELECTOR },
    template: {
      metadata: { labels: SELECTOR },
      spec: {
        serviceAccountName: NAME,
        automountServiceAccountToken: true,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 15,
        securityContext: { runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name: "operator",
            image: `longshore-operator:${version}`,
            imagePullPolicy: "IfNotPresent",
            env: [
              fromField("POD_NAME", "metadata.name"),
              fromField("POD_NAMESPACE", "metadata.namespace"),
              { name: "LEASE_NAME", value: NAME },
              { name: "WORKER_IMAGE", value: `longshore-worker:${version}` },
              { name: "WATCH_NAMESPACES", value: "" },
              { name: "LOG_LEVEL", value: "info" },
            ],
            ports: [{ name: "http", containerPort: PORT }],
            startupProbe: probe("/healthz", { periodSeconds: 1, failureThreshold: 60 }),
            readinessProbe: probe("/readyz", { periodSeconds: 2, timeoutSeconds: 2 }),
            livenessProbe: probe("/healthz", { periodSeconds: 10, timeoutSeconds: 5 }),
            resources: { requests: { cpu: "50m", memory: "256Mi" }, limits: { memory: "256Mi" } },
            securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
          },
        ],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: SELECTOR },
          },
        ],
      },
    },
  };
}

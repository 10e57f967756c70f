import { GROUP, type Kind, type Permission } from "../runtime/define-kind.ts";

/** One rule of a role, with why it is needed. */
export interface Rule extends Permission {
  readonly resourceNames?: readonly string[];
}

/** What the runtime itself needs wherever it serves, whatever the kinds are. */
const RUNTIME: readonly Permission[] = [
  {
    apiGroup: "events.k8s.io",
    resources: ["events"],
    verbs: ["create", "patch"],
    why: "Events on transitions; repeated ones are counted.",
  },
];

/**
 * What the operator may do in each namespace that it serves: exactly what the kinds and the runtime ask for. Pure.
 * Throws on a wildcard: least privilege is not negotiable by a kind.
 */
export function operatorRules(kinds: readonly Kind[]): readonly Rule[] {
  const plurals = kinds.map(({ plural }) => plural);
  const finalized = kinds.filter(({ finalizer }) => finalizer).map(({ plural }) => plural);
  return merged([
    { apiGroup: GROUP, resources: plurals, verbs: ["get", "list", "watch"], why: "The objects that say what should be." },
    { apiGroup: GROUP, resources: plurals.map((plural) => `${plural}/status`), verbs: ["patch"], why: "Their status." },
    {
      apiGroup: GROUP,
      resources: finalized,
      verbs: ["patch"],
      why: "Our finalizer, where something outside Kubernetes must be cleaned up.",
    },
    ...kinds.flatMap(({ permissions }) => permissions),
    ...RUNTIME,
  ]);
}

/** What the operator may do in its own namespace only: hold the lease of this name, and that of schedules. */
export function leaseRules(leaseName: string): readonly Rule[] {
  const lease = { apiGroup: "coordination.k8s.io", resources: ["leases"] };
  return [
    { ...lease, verbs: ["create"], why: "The first operator makes the lease; creating cannot be narrowed to a name." },
    {
      ...lease,
      verbs: ["get", "patch", "watch"],
      resourceNames: [leaseName, `${leaseName}-schedules`],
      why: "Several operators take turns.",
    },
  ];
}

/** Rules for people, to be aggregated into Kubernetes' own `view` and `edit`. */
export function userRules(kinds: readonly Kind[]): { readonly view: readonly Rule[]; readonly edit: readonly Rule[] } {
  const plurals = kinds.map(({ plural }) => plural);
  const scales = kinds.filter(({ scale }) => scale !== undefined).map(({ plural }) => `${plural}/scale`);
  return {
    view: [
      { apiGroup: GROUP, resources: [...plurals, ...scales], verbs: ["get", "list", "watch"], why: "Look at everything of Longshore." },
    ],
    edit: [
      {
        apiGroup: GROUP,
        resources: plurals,
        verbs: ["create", "update", "patch", "delete", "deletecollection"],
        why: "Change everything of Longshore.",
      },
      { apiGroup: GROUP, resources: scales, verbs: ["update", "patch"], why: "`kubectl scale`." },
    ],
  };
}

/** Rules as the items of a YAML list, each below its reason. */
export function rulesYaml(rules: readonly Rule[]): string {
  const list = (values: readonly string[]) => `[${values.map((value) => `'${value}'`).join(", ")}]`;
  return rules
    .flatMap(({ why, apiGroup, resources, resourceNames, verbs }) => [
      ...why.split("\n").map((line) => `# ${line}`),
      `- apiGroups: ${list([apiGroup])}`,
      `  resources: ${list(resources)}`,
      ...(resourceNames === undefined ? [] : [`  resourceNames: ${list(resourceNames)}`]),
      `  verbs: ${list(verbs)}`,
    ])
    .map((line) => `${line}\n`)
    .join("");
}

/** Rules for the same resources become one, with all their verbs and reasons. */
function merged(rules: readonly Permission[]): readonly Rule[] {
  const byResources = new Map<string, Permission>();
  for (const rule of rules) {
    if ([rule.apiGroup, ...rule.resources, ...rule.verbs].some((word) => word.includes("*")))
      throw new Error(`a role takes no wildcard: ${rule.why}`);
    if (rule.resources.length === 0) continue;
    const key = `${rule.apiGroup}/${rule.resources.join()}`;
    const known = byResources.get(key);
    if (known === undefined) byResources.set(key, rule);
    else byResources.set(key, { ...known, verbs: [...new Set([...known.verbs, ...rule.verbs])], why: together(known.why, rule.why) });
  }
  return [...byResources.values()];
}

const together = (one: string, other: string) => (one.split("\n").includes(other) ? one : `${one}\n${other}`);

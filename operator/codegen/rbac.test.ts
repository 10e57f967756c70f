import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { KINDS } from "../kinds/index.ts";
import { operatorRules, rulesYaml, userRules } from "./rbac.ts";

const may = (apiGroup: string, resource: string) =>
  operatorRules(KINDS)
    .filter((rule) => rule.apiGroup === apiGroup && rule.resources.includes(resource))
    .flatMap(({ verbs }) => verbs)
    .sort();

describe("the operator", () => {
  const cases: readonly [what: string, apiGroup: string, resource: string, verbs: readonly string[]][] = [
    ["reads Secrets by name, makes those of generated passwords, and never lists or changes one", "", "secrets", ["create", "get"]],
    ["reads ConfigMaps by name", "", "configmaps", ["get"]],
    ["writes events, and no more", "events.k8s.io", "events", ["create", "patch"]],
    ["writes a status, and does not replace it", "longshore.dev", "workerpools/status", ["patch"]],
    ["patches objects that carry its finalizer", "longshore.dev", "queues", ["get", "list", "patch", "watch"]],
    ["only reads the others", "longshore.dev", "workerpools", ["get", "list", "watch"]],
    ["never deletes a pod", "", "pods", ["get", "list", "patch", "watch"]],
  ];
  test.for(cases)("%s", ([, apiGroup, resource, verbs]) => expect(may(apiGroup, resource)).toEqual(verbs));

  test("gets no wildcard, whatever a kind asks for", () => {
    const greedy = { ...KINDS[0]!, permissions: [{ apiGroup: "", resources: ["*"], verbs: ["get"], why: "w" }] };
    expect(() => operatorRules([greedy])).toThrow(/no wildcard/);
  });
  test("has one rule per set of resources, with every reason", () => {
    const rules = operatorRules(KINDS).filter(({ resources }) => resources.includes("secrets"));
    expect(rules).toHaveLength(1);
    expect(rules[0]?.why.split("\n")).toHaveLength(5);
  });
});

test("whoever may edit may scale, whoever may view may see the scale", () => {
  const { view, edit } = userRules(KINDS);
  expect(view.flatMap(({ resources }) => resources)).toContain("workerpools/scale");
  expect(edit.find(({ resources }) => resources.includes("workerpools/scale"))?.verbs).toEqual(["update", "patch"]);
});

test("the YAML says what the rules say", () => {
  const rules = operatorRules(KINDS);
  expect(parse(rulesYaml(rules))).toEqual(rules.map(({ apiGroup, resources, verbs }) => ({ apiGroups: [apiGroup], resources, verbs })));
});

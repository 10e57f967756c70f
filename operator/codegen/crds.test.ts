import { describe, expect, test } from "vitest";
import * as z from "zod";
import { KINDS } from "../kinds/index.ts";
import { crdOf } from "./crds.ts";
import { type SchemaNode, specSchema, structuralSchema } from "./schema.ts";

type Field = readonly [path: string, node: SchemaNode];

function* fields(node: SchemaNode, path: string): Generator<Field> {
  yield [path, node];
  for (const [name, child] of Object.entries((node["properties"] ?? {}) as Record<string, SchemaNode>))
    yield* fields(child, `${path}.${name}`);
  if (node["items"] !== undefined) yield* fields(node["items"] as SchemaNode, `${path}[]`);
}

const every = KINDS.flatMap((kind) => [...fields(crdOf(kind).spec.versions[0].schema.openAPIV3Schema, kind.kind)]);
const ofSpec = every.filter(([path]) => path.includes(".spec"));

describe("every field of every kind", () => {
  test("says nothing that a structural schema may not say", () => {
    for (const [path, node] of every) {
      expect(node["additionalProperties"], path).not.toBe(false);
      // Which fields must be there is all that alternatives may speak of.
      for (const one of (node["anyOf"] ?? []) as object[]) expect(Object.keys(one), path).toEqual(["required"]);
      for (const union of ["oneOf", "allOf", "not", "$ref"]) expect(node, path).not.toHaveProperty(union);
      if (node["type"] === undefined && node["x-kubernetes-int-or-string"] !== true)
        expect(node, path).toHaveProperty("x-kubernetes-preserve-unknown-fields", true);
    }
  });
  test("is explained", () => {
    const silent = every.filter(([path, node]) => !path.includes(".metadata") && !path.endsWith("[]") && node["description"] === undefined);
    expect(silent.map(([path]) => path)).toEqual([]);
  });
  test("of a spec is bounded, so that CEL's cost is", () => {
    const open = ofSpec.filter(
      ([, node]) =>
        (node["type"] === "string" && node["enum"] === undefined && node["maxLength"] === undefined) ||
        (node["type"] === "array" && node["maxItems"] === undefined) ||
        (["integer", "number"].includes(String(node["type"])) && (node["maximum"] === undefined || node["minimum"] === undefined)),
    );
    expect(open.map(([path]) => path)).toEqual([]);
  });
});

describe("names", () => {
  test("no two kinds share a name that kubectl takes", () => {
    const names = KINDS.flatMap((kind) => [kind.plural, kind.kind.toLowerCase(), ...kind.shortNames]);
    expect(names).toEqual([...new Set(names)]);
  });
});

describe("what JSON schema says and a CRD cannot", () => {
  const refused: readonly [why: string, schema: z.ZodType, message: RegExp][] = [
    ["a union", z.object({ a: z.union([z.string(), z.boolean()]) }), /spec\.a: a union needs/],
    ["a record of anything", z.object({ a: z.record(z.string(), z.unknown()) }), /spec\.a: a record of anything needs/],
    ["a tuple", z.object({ a: z.object({ b: z.tuple([z.string()]) }) }), /spec\.a\.b/],
  ];
  test.for(refused)("%s without a marker is refused with its path", ([, schema, message]) => {
    expect(() => structuralSchema(schema, "spec")).toThrow(message);
  });

  const carried: readonly [why: string, schema: z.ZodType, node: SchemaNode][] = [
    ["a bare integer has no bounds", z.int(), { type: "integer" }],
    ["a bounded one keeps them", z.int().min(-1).max(5), { type: "integer", minimum: -1, maximum: 5 }],
    ["int or string has a type of its own", z.union([z.int(), z.string()]), { "x-kubernetes-int-or-string": true }],
    ["a record of strings stays", z.record(z.string(), z.string()), { type: "object", additionalProperties: { type: "string" } }],
    [
      "a record of anything is preserved",
      z.record(z.string(), z.unknown()).meta({ preserveUnknown: true }),
      { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    ],
    ["a field with a default is not required", z.int().default(3), { type: "integer", default: 3 }],
    [
      "rules stand at their field",
      z.string().meta({ cel: [{ rule: "self != ''", message: "m" }] }),
      { type: "string", "x-kubernetes-validations": [{ rule: "self != ''", message: "m" }] },
    ],
  ];
  test.for(carried)("%s", ([, schema, node]) => {
    const { properties } = structuralSchema(z.strictObject({ f: schema }), "spec") as { properties: { f: SchemaNode } };
    expect(properties.f).toEqual(node);
  });
});

describe("immutability", () => {
  const rules = (kind: string) =>
    specSchema(KINDS.find((one) => one.kind === kind)!)["x-kubernetes-validations"] as { rule: string; fieldPath?: string }[];
  test("an optional field can neither be set nor removed later", () => {
    const rule = rules("Queue").find(({ fieldPath }) => fieldPath === ".name");
    expect(rule?.rule).toBe("has(self.name) == has(oldSelf.name) && (!has(self.name) || self.name == oldSelf.name)");
  });
  test("a field that always has a value is compared at its own place", () => {
    const { properties } = specSchema(KINDS.find(({ kind }) => kind === "Queue")!) as { properties: Record<string, SchemaNode> };
    expect(properties["type"]?.["x-kubernetes-validations"]).toEqual([
      { rule: "self == oldSelf", message: "type cannot be changed: delete the Queue and create it anew" },
    ]);
  });
  test("a name that is no field is refused", () => {
    const kind = { ...KINDS[0]!, immutable: ["nonsense"] };
    expect(() => specSchema(kind)).toThrow(/immutable names nonsense/);
  });
});

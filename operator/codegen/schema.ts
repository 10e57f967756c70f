import * as z from "zod";
import type { Kind } from "../runtime/define-kind.ts";

/** A node of an OpenAPI v3 schema as Kubernetes takes it ("structural"): plain JSON, to be written as YAML. */
export interface SchemaNode {
  readonly [key: string]: unknown;
}

type Tree = Record<string, unknown>;
type Path = readonly string[];

/** What may be carried over from JSON schema as it stands: each has the same meaning in a CRD. */
const KEPT = new Set([
  "type",
  "description",
  "default",
  "enum",
  "format",
  "pattern",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minProperties",
  "maxProperties",
  "required",
]);

/** Beyond this an integer bound is zod's "safe integer", which says nothing about the field. */
const LARGEST_BOUND = Number.MAX_SAFE_INTEGER;

/**
 * The structural schema of a zod object. Refinements do not travel: they stand as `cel` in a field's `meta`, or in the kind's rules.
 * Throws on whatever a CRD could not say, with the path: a field is never silently left unchecked.
 *
 * Markers in `meta`: `preserveUnknown` (any JSON object, any JSON in a union's place), `preserveUnknownItems` (the same for a list's items),
 * `listMapKeys` (a list keyed by these fields), `format`, `cel` (rules at this field).
 */
export function structuralSchema(schema: z.ZodType, at: string): SchemaNode {
  const json = z.toJSONSchema(schema, { target: "openapi-3.0", io: "input", unrepresentable: "throw" });
  return node(json, [at]);
}

/** The spec of a kind, with its rules and immutable fields as CEL at the place that they speak of. */
export function specSchema(kind: Kind): SchemaNode {
  const root: Tree = structuralSchema(kind.spec, "spec");
  for (const field of kind.immutable) addImmutability(root, kind, field);
  for (const { path, field, rule, message } of kind.rules) {
    addRule(root, path === undefined ? [] : path.split("."), { rule, message, ...(field !== undefined && { fieldPath: `.${field}` }) });
  }
  return { ...root, description: `What this ${kind.kind} should be.` };
}

function node(json: Tree, path: Path): SchemaNode {
  const out: Tree = {};
  for (const [key, value] of Object.entries(json)) {
    if (KEPT.has(key) && !isSafeIntegerBound(key, value)) out[key] = value;
    else MARKERS[key]?.(out, value, path);
  }
  if (json["preserveUnknown"] === true) {
    out["x-kubernetes-preserve-unknown-fields"] = true;
    return out;
  }
  for (const [key, value] of Object.entries(json)) {
    if (KEPT.has(key) || key in MARKERS) continue;
    const convert = STRUCTURE[key];
    if (convert === undefined)
      throw new Error(`${path.join(".")}: a CRD cannot say "${key}"; use CEL or a marker (operator/codegen/schema.ts)`);
    convert(out, value, json, path);
  }
  return out;
}

type Convert = (out: Tree, value: unknown, json: Tree, path: Path) => void;

/** Keywords that hold further schemas. */
const STRUCTURE: Readonly<Record<string, Convert>> = {
  properties: (out, value, _, path) => {
    out["properties"] = Object.fromEntries(Object.entries(value as Tree).map(([key, child]) => [key, node(child as Tree, [...path, key])]));
  },
  items: (out, value, json, path) => {
    const items = value as Tree;
    out["items"] = json["preserveUnknownItems"] === true ? openItems(items, path) : node(items, [...path, "[]"]);
  },
  // `false` is what the API server does anyway, by pruning or by kubectl's strict validation; a structural schema may not say it.
  additionalProperties: (out, value, _, path) => {
    if (value === false) return;
    if (Object.keys(value as Tree).length === 0)
      throw new Error(`${path.join(".")}: a record of anything needs meta({ preserveUnknown: true })`);
    out["additionalProperties"] = node(value as Tree, [...path, "*"]);
  },
  anyOf: (out, value, _, path) => {
    const types = (value as Tree[]).map((variant) => variant["type"]);
    const isIntOrString = types.length === 2 && types.includes("integer") && types.includes("string");
    if (!isIntOrString) throw new Error(`${path.join(".")}: a union needs meta({ preserveUnknown: true }), and a check where it is read`);
    out["x-kubernetes-int-or-string"] = true;
  },
};

/** Markers of ours, see `structuralSchema`. */
const MARKERS: Readonly<Record<string, (out: Tree, value: unknown, path: Path) => void>> = {
  minimum: () => undefined,
  maximum: () => undefined,
  preserveUnknown: () => undefined,
  preserveUnknownItems: () => undefined,
  listMapKeys: (out, value) => {
    out["x-kubernetes-list-type"] = "map";
    out["x-kubernetes-list-map-keys"] = value;
  },
  cel: (out, value) => {
    out["x-kubernetes-validations"] = value;
  },
};

/** Items of several types: only an untyped node takes them all. What the object variants say of their fields is still checked. */
function openItems(items: Tree, path: Path): SchemaNode {
  const variants = (items["anyOf"] ?? []) as Tree[];
  const objects = variants.filter(({ type }) => type === "object").map((variant): Tree => node(variant, [...path, "[]"]));
  const string = variants.find(({ type }) => type === "string");
  const out: Tree = { "x-kubernetes-preserve-unknown-fields": true };
  if (typeof items["description"] === "string") out["description"] = items["description"];
  for (const key of ["minLength", "maxLength", "pattern"]) if (string?.[key] !== undefined) out[key] = string[key];
  if (objects.length > 0) {
    // What the first one says of a field counts.
    out["properties"] = Object.assign({}, ...[...objects, objects[0]].map((variant) => variant?.["properties"]));
    const needs = objects.map(({ required }) => (required ?? []) as string[]);
    const [first = [], ...others] = needs;
    const common = first.filter((field) => others.every((of) => of.includes(field)));
    if (common.length > 0) out["required"] = common;
    const own = needs.map((of) => of.filter((field) => !common.includes(field)));
    // One that needs nothing of its own takes all.
    if (own.length > 1 && own.every((of) => of.length > 0)) out["anyOf"] = own.map((required) => ({ required }));
  }
  return out;
}

function isSafeIntegerBound(key: string, value: unknown): boolean {
  return (key === "minimum" || key === "maximum") && typeof value === "number" && Math.abs(value) >= LARGEST_BOUND;
}

/**
 * Also an optional field: neither setting nor removing it later is a way around. A field that always has a value is compared at its own place, for
 * the API server asks all rules at each write, of a status too, and to reach a field from the spec costs it a copy of the spec's list of fields.
 */
function addImmutability(root: Tree, kind: Kind, field: string): void {
  const properties = root["properties"] as Tree;
  if (!(field in properties)) throw new Error(`${kind.kind}: immutable names ${field}, which is no field of the spec`);
  const always = ((root["required"] as string[] | undefined) ?? []).includes(field) || (properties[field] as Tree)["default"] !== undefined;
  const message = `${field} cannot be changed: delete the ${kind.kind} and create it anew`;
  if (always) return addRule(root, [field], { rule: "self == oldSelf", message });
  const rule = `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`;
  addRule(root, [], { rule, message, fieldPath: `.${field}` });
}

function addRule(root: Tree, path: Path, rule: Tree): void {
  let at = root;
  for (const step of path) {
    const next = (at["properties"] as Tree | undefined)?.[step] as Tree | undefined;
    if (next === undefined) throw new Error(`a rule stands at spec.${path.join(".")}, which does not exist`);
    at = next;
  }
  at["x-kubernetes-validations"] = [...((at["x-kubernetes-validations"] as Tree[] | undefined) ?? []), rule];
}

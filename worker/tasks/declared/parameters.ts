import * as z from "zod";
import type { Parameter } from "../../contract/declared-tasks.ts";

type Values = Readonly<Record<string, unknown>>;

function text({ enum: allowed, pattern, maxLength, allowLeadingDash }: Parameter, forCommand: boolean): z.ZodType {
  let schema = z.string().max(maxLength);
  if (pattern !== undefined) schema = schema.regex(new RegExp(`^(?:${pattern})$`, "u"));
  if (!forCommand)
    return allowed === undefined ? schema : schema.refine((value) => allowed.includes(value), `expected one of ${allowed.join(", ")}`);
  return schema
    .refine((value) => allowed?.includes(value) ?? true, `expected one of ${allowed?.join(", ")}`)
    .refine((value) => !value.includes("\0"), "must not contain a NUL")
    .refine((value) => allowLeadingDash || !value.startsWith("-"), "must not begin with -: the program could take it for an option");
}

function number({ type, minimum, maximum }: Parameter): z.ZodType {
  let schema = type === "integer" ? z.int() : z.number();
  if (minimum !== undefined) schema = schema.min(minimum);
  if (maximum !== undefined) schema = schema.max(maximum);
  return schema;
}

function schemaOf(parameter: Parameter, forCommand: boolean): z.ZodType {
  const { type, required, default: value } = parameter;
  const schema = type === "string" ? text(parameter, forCommand) : type === "boolean" ? z.boolean() : number(parameter);
  if (value !== undefined && value !== null) return schema.default(value);
  return required ? schema : schema.nullish();
}

/** The schema of a message's keyword arguments. Nothing beside them is let pass. */
export const parametersSchema = (parameters: Readonly<Record<string, Parameter>>, forCommand: boolean): z.ZodType<Values> =>
  z.strictObject(Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, schemaOf(parameter, forCommand)])));

/** Positional arguments: none. A manifest's maps have no order that one could rely on. */
export const noPositional = z.array(z.unknown()).max(0, "this task takes keyword arguments only");

/** A value as text, for an argument or a URL; a missing one is empty. */
export function textOf(values: Values, name: string): string {
  const value = values[name];
  return value === undefined || value === null ? "" : String(value);
}

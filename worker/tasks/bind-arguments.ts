import * as z from "zod";
import { isMap } from "../protocol/json/is-value.ts";
import type { Value, ValueMap } from "../protocol/json/value.ts";

export type Bound = { readonly input: unknown } | { readonly problem: string };

/** `demo.add: kwargs.x: expected number, received string`, all issues of one call in one line. */
function problem(name: string, where: string, error: z.ZodError): Bound {
  const lines = error.issues.map(({ path, message }) => `${[where, ...path.map(String)].join(".")}: ${message}`);
  return { problem: `${name}: ${lines.join("; ")}` };
}

/** The names that positional arguments fill, in their order. */
export const parametersOf = (schema: z.ZodType | undefined): readonly string[] =>
  schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];

/** Positional values under the schema's keys, in their order, as Python binds a call. */
function bindPositional(name: string, schema: z.ZodType, args: readonly Value[], kwargs: ValueMap): Bound & { readonly kwargs?: ValueMap } {
  const keys = parametersOf(schema);
  if (args.length > keys.length) return { problem: `${name}: takes ${keys.length} positional arguments but ${args.length} were given` };
  const named = Object.fromEntries(args.map((value, at) => [keys[at] ?? "", value]));
  const twice = Object.keys(named).find((key) => Object.hasOwn(kwargs, key));
  if (twice !== undefined) return { problem: `${name}: got multiple values for argument '${twice}'` };
  return { input: undefined, kwargs: { ...named, ...kwargs } };
}

/**
 * A message's arguments as a task's input, checked by its schemas: kwargs alone, args alone, or `{args, kwargs}` when it declares
 * both or neither. Never throws; a problem names the task, the path of the field, what was found and what was expected.
 */
export function bindArguments(
  name: string,
  argsSchema: z.ZodType | undefined,
  kwargsSchema: z.ZodType | undefined,
  args: readonly Value[],
  kwargs: ValueMap,
): Bound {
  if (argsSchema === undefined && kwargsSchema === undefined) return { input: { args, kwargs } };
  if (argsSchema === undefined && kwargsSchema !== undefined) {
    const bound = args.length === 0 ? { input: undefined, kwargs } : bindPositional(name, kwargsSchema, args, kwargs);
    if ("problem" in bound) return bound;
    const parsed = kwargsSchema.safeParse(bound.kwargs);
    return parsed.success ? { input: parsed.data } : problem(name, "kwargs", parsed.error);
  }
  const parsedArgs = argsSchema?.safeParse(args);
  if (parsedArgs?.success === false) return problem(name, "args", parsedArgs.error);
  if (kwargsSchema === undefined) {
    const stranger = isMap(kwargs) ? Object.keys(kwargs)[0] : undefined;
    if (stranger !== undefined) return { problem: `${name}: got an unexpected keyword argument '${stranger}'` };
    return { input: parsedArgs?.data };
  }
  const parsedKwargs = kwargsSchema.safeParse(kwargs);
  if (!parsedKwargs.success) return problem(name, "kwargs", parsedKwargs.error);
  return { input: { args: parsedArgs?.data, kwargs: parsedKwargs.data } };
}

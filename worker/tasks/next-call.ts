import type { Value, ValueMap } from "../protocol/json/value.ts";

/** Arguments of a task's next attempt. */
export interface NextCall {
  readonly args: readonly Value[];
  readonly kwargs: ValueMap;
}

/**
 * What a retry calls the task with, when it gives arguments of its own: of the two kinds it gives one, and the other stays as far as no
 * parameter would be given twice. `parameters` are the task's, in their order. Undefined when nothing changes. celery/app/task.py `retry`
 */
export function nextCall(
  parameters: readonly string[],
  now: NextCall,
  given: { readonly args?: readonly Value[] | undefined; readonly kwargs?: ValueMap | undefined },
): NextCall | undefined {
  const { args, kwargs } = given;
  if (args === undefined && kwargs === undefined) return undefined;
  if (args !== undefined && kwargs !== undefined) return { args, kwargs };
  if (args !== undefined) {
    const taken = new Set(parameters.slice(0, args.length));
    return { args, kwargs: Object.fromEntries(Object.entries(now.kwargs).filter(([name]) => !taken.has(name))) };
  }
  const left = { ...kwargs };
  const merged = now.args.map((value, at) => {
    const name = parameters[at] ?? "";
    const own = Object.hasOwn(left, name) ? left[name] : value;
    delete left[name];
    return own ?? null;
  });
  return { args: merged, kwargs: left };
}

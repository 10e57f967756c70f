import type { Task, TaskContext } from "./define-task.ts";

/** One attempt at a task, as a middleware sees it. */
export interface MiddlewareCall {
  /** The task's name. */
  readonly task: string;
  /** Its arguments, checked by its schemas. */
  readonly input: unknown;
  readonly context: TaskContext;
}

const BRAND: unique symbol = Symbol.for("longshore.middleware") as never;

export interface Middleware {
  readonly [BRAND]: true;
  readonly name: string;
  readonly order: number;
  around(call: MiddlewareCall, next: () => Promise<unknown>): unknown;
}

/**
 * Declares code around every task of a worker, exported by any module of the tasks' folder. `around` calls `next()` once, or never to keep the
 * task from running, and what it returns or throws is the task's. It runs in the slot, after the arguments were checked and the lease was
 * taken; limits hold for it, too. The lowest `order` (default 0) is outermost; of equal ones the first by file name.
 * Throws TypeError when it has no name.
 */
export function defineMiddleware(definition: {
  readonly name: string;
  readonly order?: number;
  readonly around: (call: MiddlewareCall, next: () => Promise<unknown>) => unknown;
}): Middleware {
  const { name, order = 0, around } = definition;
  if (typeof name !== "string" || name === "") throw new TypeError("defineMiddleware: name must be a non-empty string");
  return { [BRAND]: true, name, order, around };
}

/** Whether a module's export is a middleware. Survives two copies of this module. */
export const isMiddleware = (value: unknown): value is Middleware => typeof value === "object" && value !== null && BRAND in value;

/** The task with the middlewares around it. Throws Error in the task when one calls `next` twice: a task runs once per attempt. */
export function withMiddleware(task: Task, middlewares: readonly Middleware[]): Task {
  if (middlewares.length === 0) return task;
  // Sorting keeps the order of equals; the innermost is wrapped first.
  const inside = middlewares.toSorted((a, b) => a.order - b.order).toReversed();
  const run = async (input: unknown, context: TaskContext): Promise<unknown> => {
    let next = async (): Promise<unknown> => await task.run(input, context);
    for (const middleware of inside) {
      const inner = next;
      let called = false;
      next = async () =>
        await middleware.around({ task: task.name, input, context }, () => {
          if (called) throw new Error(`middleware "${middleware.name}" called next twice`);
          called = true;
          return inner();
        });
    }
    return await next();
  };
  return { ...task, run };
}

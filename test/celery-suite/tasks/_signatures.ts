import { type Signature, signature, type Value } from "longshore";

export const MODULE = "t.integration.tasks";

/** `task.s(*args)` for a task of the suite. */
export const s = (name: string, ...args: readonly unknown[]): Signature => signature(`${MODULE}.${name}`, args as readonly Value[]);

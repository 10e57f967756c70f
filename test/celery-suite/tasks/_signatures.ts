import { type Signature, signature } from "longshore";

export const MODULE = "t.integration.tasks";

type Args = Parameters<typeof signature>[1];

/** `task.s(*args)` for a task of the suite. */
export const s = (name: string, ...args: NonNullable<Args>): Signature => signature(`${MODULE}.${name}`, args);

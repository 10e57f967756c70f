import type { Arguments, ArgumentValue } from "../adapters/ports.ts";

/** The entries that have a value: what a user left out is left out on the broker, too. */
export const given = (entries: Readonly<Record<string, ArgumentValue | undefined>>): Arguments =>
  Object.fromEntries(Object.entries(entries).filter((entry): entry is [string, ArgumentValue] => entry[1] !== undefined));

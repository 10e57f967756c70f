import type { ValueSource } from "../../contract/declared-tasks.ts";

/**
 * Names and values, those of environment variables looked up. Throws an Error that names the variable that is not set, never a value.
 * A reference to a Secret is the operator's to resolve: it arrives here as a variable.
 */
export function valuesOf(sources: readonly ValueSource[], env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    sources.map(({ name, value, fromEnv, valueFrom }) => {
      if (valueFrom !== undefined) throw new Error(`${name}: valueFrom needs the operator; without it write fromEnv`);
      const found = fromEnv === undefined ? value : env[fromEnv];
      if (found === undefined) throw new Error(`${name}: the environment variable ${fromEnv} is not set`);
      return [name, found];
    }),
  );
}

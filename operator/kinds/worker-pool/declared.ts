import type { DeclaredTasks, ValueSource } from "../../../worker/contract/declared-tasks.ts";
import type { SecretKey } from "./inputs.ts";
import { TemplateError } from "./merge.ts";
import type { WorkerPool } from "./schema.ts";

/** Prefix of the variables that hold what tasks need of Secrets. */
const SECRET_VARIABLE = "LONGSHORE_TASK_SECRET_";

/** Linux takes 128 KiB for one variable. */
const MAX_BYTES = 120_000;

interface DeclaredEnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: SecretKey };
}

export interface SecretUse {
  /** Where in the spec. */
  readonly at: string;
  readonly secret: SecretKey;
}

/** Tasks without code, if the pool has any. */
export function declaredOf({
  spec,
}: Pick<WorkerPool, "spec">): { readonly [Kind in keyof DeclaredTasks]-?: NonNullable<DeclaredTasks[Kind]> } | undefined {
  const { commands = [], http = [] } = spec.tasks ?? {};
  return commands.length + http.length === 0 ? undefined : { commands, http };
}

/** Every Secret that the pool's declared tasks name, and where. Pure. */
export function secretsOf(pool: Pick<WorkerPool, "spec">): readonly SecretUse[] {
  const { commands = [], http = [] } = declaredOf(pool) ?? {};
  const uses = (at: string, sources: readonly ValueSource[] = []): readonly SecretUse[] =>
    sources.flatMap(({ valueFrom }, index) => (valueFrom === undefined ? [] : [{ at: `${at}[${index}]`, secret: valueFrom.secretKeyRef }]));
  return [
    ...commands.flatMap(({ env }, index) => uses(`spec.tasks.commands[${index}].env`, env)),
    ...http.flatMap(({ headers }, index) => uses(`spec.tasks.http[${index}].headers`, headers)),
  ];
}

/**
 * What carries declared tasks to the worker: one variable with all of them, and one per key of a Secret, which the kubelet fills in, never the
 * operator. Pure. Throws `TemplateError` when they are more than one variable can hold.
 */
export function declaredEnvironment(pool: Pick<WorkerPool, "spec">): readonly DeclaredEnvVar[] {
  const tasks = declaredOf(pool);
  if (tasks === undefined) return [];
  const variables = new Map<string, DeclaredEnvVar>();
  const resolved = ({ valueFrom, ...source }: ValueSource): ValueSource => {
    if (valueFrom === undefined) return source;
    const { secretKeyRef } = valueFrom;
    const id = `${secretKeyRef.name}/${secretKeyRef.key}`;
    const variable = variables.get(id) ?? { name: `${SECRET_VARIABLE}${variables.size}`, valueFrom: { secretKeyRef } };
    variables.set(id, variable);
    return { ...source, fromEnv: variable.name };
  };
  const text = JSON.stringify({
    commands: tasks.commands.map((command) => ({ ...command, env: command.env.map(resolved) })),
    http: tasks.http.map((call) => ({ ...call, headers: call.headers.map(resolved) })),
  });
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_BYTES)
    throw new TemplateError(`spec.tasks has ${bytes} bytes of commands and http, at most ${MAX_BYTES} fit; split them over two pools`);
  return [...variables.values(), { name: "LONGSHORE_DECLARED_TASKS", value: text }];
}

/** What a sender says of a task beside its arguments; what is absent has the default of a plain first request. */
export interface TaskHeaderFields {
  readonly task: string;
  readonly id: string;
  /** As Python would show them, for people. */
  readonly argsrepr: string;
  readonly kwargsrepr: string;
  /** Who sends, as `gen<pid>@<host>`. */
  readonly origin: string;
  readonly shadow?: string | undefined;
  /** As Python's `isoformat()` writes times. */
  readonly eta?: string | undefined;
  readonly expires?: string | undefined;
  readonly group?: string | undefined;
  readonly groupIndex?: number | undefined;
  readonly retries?: number | undefined;
  readonly timelimit?: readonly [hard: number | null, soft: number | null];
  readonly rootId?: string | undefined;
  readonly parentId?: string | undefined;
  /** null leaves it to the task's own setting. */
  readonly ignoreResult?: boolean | null | undefined;
  readonly replacedTaskNesting?: number | undefined;
  readonly stampedHeaders?: readonly string[] | undefined;
  readonly stamps?: Readonly<Record<string, unknown>> | undefined;
}

/** The headers of one task in Celery's protocol 2, in the order of `as_task_v2` of celery/app/amqp.py: whoever publishes a task says it so. */
export function taskHeaders(given: TaskHeaderFields): Record<string, unknown> {
  return {
    lang: "py",
    task: given.task,
    id: given.id,
    shadow: given.shadow ?? null,
    eta: given.eta ?? null,
    expires: given.expires ?? null,
    group: given.group ?? null,
    group_index: given.groupIndex ?? null,
    retries: given.retries ?? 0,
    timelimit: given.timelimit ?? [null, null],
    root_id: given.rootId ?? given.id,
    parent_id: given.parentId ?? null,
    argsrepr: given.argsrepr,
    kwargsrepr: given.kwargsrepr,
    origin: given.origin,
    ignore_result: given.ignoreResult === undefined ? false : given.ignoreResult,
    replaced_task_nesting: given.replacedTaskNesting ?? 0,
    stamped_headers: given.stampedHeaders ?? null,
    stamps: given.stamps ?? {},
  };
}

/** Names of headers that belong to Celery: nobody else's may be called so. */
export const TASK_HEADERS: ReadonlySet<string> = new Set(
  Object.keys(taskHeaders({ task: "", id: "", argsrepr: "", kwargsrepr: "", origin: "" })),
);

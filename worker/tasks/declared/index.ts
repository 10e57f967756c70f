import { parse } from "yaml";
import * as z from "zod";
import { declaredProblem } from "../../contract/declared-problem.ts";
import { declaredTasksSchema } from "../../contract/declared-tasks.ts";
import type { Task } from "../define-task.ts";
import { commandTask } from "./command-task.ts";
import { type HttpDeps, httpTask } from "./http-task.ts";

/** The variable that carries them, for errors. */
const WHERE = "LONGSHORE_DECLARED_TASKS";

/**
 * Tasks that need no code, from YAML or JSON as in a WorkerPool's `spec.tasks`. Throws an Error that names the field, what was found and
 * what is expected.
 */
export function declaredTasks(text: string, deps: HttpDeps): readonly Task[] {
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (error) {
    throw new Error(`${WHERE}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const parsed = declaredTasksSchema.safeParse(value);
  if (!parsed.success) throw new Error(`${WHERE}: ${z.prettifyError(parsed.error)}`);
  const problem = declaredProblem(parsed.data, WHERE);
  if (problem !== undefined) throw new Error(problem);
  const { commands = [], http = [] } = parsed.data;
  return [...commands.map((command) => commandTask(command, deps.env)), ...http.map((call) => httpTask(call, deps))];
}

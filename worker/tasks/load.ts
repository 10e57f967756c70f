import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isTask, type Task } from "./define-task.ts";
import { isMiddleware, type Middleware, withMiddleware } from "./middleware.ts";
import { openModules } from "./modules.ts";
import { stripTypes } from "./strip-types.ts";

/** A mistake in the user's modules; the process should say so where Kubernetes shows it, and end. */
class TaskModuleError extends Error {
  override readonly name = "TaskModuleError";
}

/** Task modules end in one of these. */
const MODULE = /\.m?[jt]s$/;
const IGNORED = /\.(test|d)\.m?[jt]s$/;

async function moduleFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new TaskModuleError(`cannot read the task folder ${folder}: ${error.message}`);
  });
  // A ConfigMap's volume keeps its versions in entries that begin with two dots, and links to them.
  // What begins with `_` is for the other modules to import.
  return entries.filter((entry) => !/^[._]/.test(entry) && MODULE.test(entry) && !IGNORED.test(entry)).toSorted();
}

/** `file:line` of where it broke, in the folder's own names. */
function explain(file: string, folder: string, real: string, error: unknown): string {
  if (!(error instanceof Error)) return `${file}: threw ${String(error)}`;
  const stack = (error.stack ?? "").replaceAll("file://", "");
  const at = stack.split("\n").find((line) => line.includes(real) && /:\d+/.test(line));
  const line = at === undefined ? undefined : new RegExp(`${RegExp.escape(real)}:(\\d+)`).exec(at)?.[1];
  const text = error.message.replaceAll("file://", "").replaceAll(real, join(folder, file));
  return `${join(folder, file)}${line === undefined ? "" : `:${line}`}: ${error.name}: ${text}`;
}

/** What a folder's modules export. The tasks have the middlewares around them. */
export interface LoadedModules {
  readonly tasks: ReadonlyMap<string, Task>;
  readonly middlewares: readonly Middleware[];
}

/**
 * Imports every module of a folder and collects its tasks and middlewares. A folder that is missing holds none.
 * Throws TaskModuleError with file and line when a module breaks, exports no task, or two define one name.
 */
export async function loadTasks(folder: string): Promise<LoadedModules> {
  const files = await moduleFiles(folder);
  const found = new Map<string, { task: Task; file: string }>();
  const middlewares = new Set<Middleware>();
  if (files.length === 0) return { tasks: new Map(), middlewares: [] };
  // For the life of the process: a task may import more while it runs.
  openModules(pathToFileURL(await realpath(folder)), await stripTypes(folder));
  for (const file of files) {
    const real = await realpath(join(folder, file));
    let exported: Record<string, unknown>;
    try {
      exported = (await import(pathToFileURL(real).href)) as Record<string, unknown>;
    } catch (error) {
      throw new TaskModuleError(explain(file, folder, real, error), { cause: error });
    }
    const tasks = new Set(Object.values(exported).filter(isTask));
    const around = Object.values(exported).filter(isMiddleware);
    for (const middleware of around) middlewares.add(middleware);
    if (tasks.size + around.length === 0)
      throw new TaskModuleError(`${join(folder, file)}: exports no task; write export const x = defineTask({...})`);
    for (const task of tasks) {
      const other = found.get(task.name);
      if (other !== undefined && other.task !== task) {
        throw new TaskModuleError(`task "${task.name}" is defined twice: in ${join(folder, other.file)} and in ${join(folder, file)}`);
      }
      found.set(task.name, { task, file });
    }
  }
  const all = [...middlewares];
  return { tasks: new Map([...found].map(([name, { task }]) => [name, withMiddleware(task, all)])), middlewares: all };
}

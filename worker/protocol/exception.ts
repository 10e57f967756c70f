import { isValue } from "./json/is-value.ts";
import type { Value } from "./json/value.ts";
import { pyRepr } from "./repr.ts";

/** An exception as a result backend stores it; Python rebuilds `exc_module.exc_type(*exc_message)`. celery/backends/base.py */
export interface PyException {
  readonly exc_type: string;
  readonly exc_message: readonly Value[];
  readonly exc_module: string;
}

/** An error class of a task's author that wants to be a certain class in Python: `pyClass = "shop.errors.PaymentDeclined"`. */
export interface PythonError extends Error {
  readonly pyClass: string;
  /** Arguments of the Python constructor; the message alone unless given. */
  readonly pyArgs?: readonly Value[];
}

/** JavaScript's own errors, and those of Node by `code`, as the Python class that means the same and takes a message alone. */
const BUILTINS: Readonly<Record<string, string>> = {
  Error: "Exception",
  TypeError: "TypeError",
  RangeError: "ValueError",
  SyntaxError: "ValueError",
  URIError: "ValueError",
  ZodError: "ValueError",
  ReferenceError: "NameError",
  EvalError: "RuntimeError",
  AggregateError: "Exception",
  TimeoutError: "TimeoutError",
  ENOENT: "FileNotFoundError",
  EEXIST: "FileExistsError",
  EACCES: "PermissionError",
  EPERM: "PermissionError",
  ECONNREFUSED: "ConnectionRefusedError",
  ECONNRESET: "ConnectionResetError",
  EPIPE: "BrokenPipeError",
  ETIMEDOUT: "TimeoutError",
};

/**
 * What to store for an error that a task threw. A class with `pyClass` becomes that class; a built-in one its Python twin;
 * any other keeps its name, and Python makes a class of that name. Never throws, also not for a thrown string or null.
 */
export function encodeException(error: unknown): PyException {
  if (!(error instanceof Error))
    return { exc_type: "Exception", exc_message: [typeof error === "string" ? error : pyRepr(error)], exc_module: "builtins" };
  if ("pyClass" in error && typeof error.pyClass === "string") {
    const dot = error.pyClass.lastIndexOf(".");
    const args = "pyArgs" in error && Array.isArray(error.pyArgs) ? error.pyArgs : [error.message];
    return {
      exc_type: error.pyClass.slice(dot + 1),
      exc_message: args.map((arg: unknown) => (isValue(arg) ? arg : pyRepr(arg))),
      exc_module: dot < 0 ? "builtins" : error.pyClass.slice(0, dot),
    };
  }
  const name = error.name === "Error" ? error.constructor.name : error.name;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const builtin = own(BUILTINS, code) ?? own(BUILTINS, name.replace(/^\$/, ""));
  if (builtin !== undefined) return { exc_type: builtin, exc_message: [messageOf(error)], exc_module: "builtins" };
  return { exc_type: name || "Exception", exc_message: [messageOf(error)], exc_module: "longshore" };
}

/** `ValueError('no such clip')`: Python's repr of a stored exception, as events and chord errors show it. */
export function exceptionRepr({ exc_type, exc_message }: PyException): string {
  return `${exc_type.slice(exc_type.lastIndexOf(".") + 1)}(${exc_message.map((arg) => pyRepr(arg)).join(", ")})`;
}

/** A stored value as an exception, or undefined when it is none. Accepts what old Celery stored: a message that is no list. */
export function asException(value: unknown): PyException | undefined {
  if (typeof value !== "object" || value === null || !("exc_type" in value) || typeof value.exc_type !== "string") return undefined;
  const message = "exc_message" in value ? value.exc_message : [];
  const module = "exc_module" in value && typeof value.exc_module === "string" ? value.exc_module : "celery.exceptions";
  const args: readonly unknown[] = Array.isArray(message) ? message : [message];
  return { exc_type: value.exc_type, exc_message: args.map((arg) => (isValue(arg) ? arg : pyRepr(arg))), exc_module: module };
}

/** zod puts its issues as JSON into the message: one line with each field and what is wrong reads better in a terminal. */
function messageOf(error: Error): string {
  if (!("issues" in error) || !Array.isArray(error.issues)) return error.message;
  const issues = error.issues as readonly { readonly path?: readonly PropertyKey[]; readonly message?: string }[];
  return issues.map(({ path = [], message = "" }) => `${path.map(String).join(".") || "(root)"}: ${message}`).join("; ");
}

function own(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

import pino from "pino";
import { withoutLogin } from "./redact.ts";

type Write = (fields: object, message: string) => void;

/** A structured log: a constant sentence and fields. Secrets never belong in either. */
export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  child(fields: Readonly<Record<string, unknown>>): Log;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

const SECRET_FIELDS = ["uri", "url", "password", "token", "authorization", "managementUri"];

/** An error as fields, its message and those of its causes free of logins. Never throws. */
export function errorFields(error: unknown): { readonly error: string; readonly stack?: string } {
  if (!(error instanceof Error)) return { error: withoutLogin(String(error)) };
  const causes: string[] = [];
  for (let cause: unknown = error; cause instanceof Error && causes.length < 5; cause = cause.cause) causes.push(cause.message);
  const text = withoutLogin(causes.join(": "));
  return error.stack === undefined ? { error: text } : { error: text, stack: withoutLogin(error.stack) };
}

/** Logs as JSON lines to standard output, with an RFC 3339 time. Fields that may hold a secret are blotted out, at the top and one level down. */
export function createLog(level: LogLevel, destination?: pino.DestinationStream): Log {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: "***" },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

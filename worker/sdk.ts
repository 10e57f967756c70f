/** What a user's task module imports as `longshore`. */
export * as z from "zod";
export { chain, chord, group, immutable, signature } from "./client/signature.ts";
export { LeaseLost } from "./leases/keeper.ts";
export type { Signature } from "./protocol/canvas/signature.ts";
export type { Value, ValueMap } from "./protocol/json/value.ts";
export { Committed, EFFECTS_TABLE, type SqlTransaction } from "./tasks/commit-in.ts";
export { defineTask, type RetryPolicy, type Task, type TaskContext, type TaskDefinition, type TaskLog } from "./tasks/define-task.ts";
export { defineMiddleware, type Middleware, type MiddlewareCall } from "./tasks/middleware.ts";
export { Ignore, Reject, Retry, type RetryOptions } from "./tasks/outcomes.ts";
export type { TaskRequest } from "./tasks/task-request.ts";

/** What a test of a task imports as `longshore/testing`. */
export { type FakeClock, fakeClock } from "./fake-clock.ts";
export { runOnce, runToEnd, type TaskCall, type TaskRun } from "./run-task.ts";

import { defineTask, Reject, Retry, z } from "longshore";
import { ExpectedException, UnpickleableException, ValueError } from "./_errors.ts";
import { redis } from "./_redis.ts";
import { MODULE } from "./_signatures.ts";

/** The suite's task keeps it on the task object: in one worker process, that is here. */
let attempt = 0;
export const retry = defineTask({
  name: `${MODULE}.retry`,
  defaultRetryDelay: 1,
  kwargs: z.object({ return_value: z.unknown().optional() }),
  run({ return_value }) {
    if (return_value != null && attempt >= 3) {
      attempt = 0;
      return return_value;
    }
    if (return_value != null) attempt += 1;
    throw new Retry("", { cause: new ExpectedException(), delayMs: 5_000 });
  },
});

const retryKwargs = z.object({ countdown: z.number(), max_retries: z.number() });
export const retryUnpickleable = defineTask({
  name: `${MODULE}.retry_unpickleable`,
  defaultRetryDelay: 1,
  kwargs: z.object({ foo: z.string(), bar: z.string(), retry_kwargs: retryKwargs }),
  run({ foo, retry_kwargs }) {
    const { countdown, max_retries: maxRetries } = retry_kwargs;
    throw new Retry("", { cause: new UnpickleableException(foo), delayMs: countdown * 1_000, maxRetries });
  },
});

const pair = z.object({ foo: z.number(), bar: z.number() });
export const argsAfterKwargs = defineTask({
  name: `${MODULE}.retry_with_args_after_kwargs`,
  maxRetries: 1,
  kwargs: pair.extend({ label: z.string().nullish() }),
  run({ foo, bar, label }, { retries }) {
    if (retries === 0) throw new Retry("", { args: [foo + 1, bar + 1], delayMs: 0 });
    return { foo, bar, label: label ?? null, retries, is_eager: false };
  },
});
export const kwargsAfterArgs = defineTask({
  name: `${MODULE}.retry_with_kwargs_after_args`,
  maxRetries: 1,
  kwargs: pair,
  run({ foo, bar }, { retries }) {
    if (retries === 0) throw new Retry("", { kwargs: { foo: foo + 1 }, delayMs: 0 });
    return { foo, bar, retries, is_eager: false };
  },
});

/** Any arguments, and `countdown` among the keyword ones. */
const options = { args: z.array(z.unknown()), kwargs: z.looseObject({ countdown: z.number().nullish() }) } as const;
const once = ({ countdown }: { readonly countdown?: number | null | undefined }): Retry =>
  new Retry("", { maxRetries: 1, ...(countdown === null ? {} : { delayMs: (countdown ?? 0.1) * 1_000 }) });
export const retryOnce = defineTask({
  name: `${MODULE}.retry_once`,
  maxRetries: 1,
  ...options,
  run({ kwargs }, { retries }) {
    if (retries > 0) return retries;
    throw once(kwargs);
  },
});
const atOnce = (name: string, ignoreResult: boolean) =>
  defineTask({
    name: `${MODULE}.${name}`,
    ignoreResult,
    run(_, { retries }) {
      if (retries > 0) return retries;
      throw new Retry("", { delayMs: 0 });
    },
  });
export const retryOnceIgnoreResult = atOnce("retry_once_ignore_result", true);
export const retryOnceWithResult = atOnce("retry_once_with_result", false);
export const retryOncePriority = defineTask({
  name: `${MODULE}.retry_once_priority`,
  maxRetries: 1,
  ...options,
  run({ kwargs }, { retries, request }) {
    if (retries > 0) return request.deliveryInfo.priority;
    throw once(kwargs);
  },
});
export const retryOnceHeaders = defineTask({
  name: `${MODULE}.retry_once_headers`,
  maxRetries: 1,
  ...options,
  run({ kwargs }, { retries, request }) {
    if (retries > 0) return request.headers;
    throw once(kwargs);
  },
});
export const classBased = defineTask({
  name: "auto_retry_class_task",
  autoretryFor: [ValueError],
  maxRetries: 1,
  retryBackoff: true,
  run(_, { retries }) {
    if (retries > 0) return retries;
    throw new ValueError("");
  },
});

export const rejectThenSucceed = defineTask({
  name: `${MODULE}.reject_then_succeed`,
  run(_, { redelivered }) {
    if (!redelivered) throw new Reject("", { requeue: true });
    return "second-pass";
  },
});
export const storeSuccessThenReject = defineTask({
  name: `${MODULE}.store_success_then_reject`,
  async run(_, { redelivered, taskId }) {
    if (redelivered) return "dedup-pass";
    const row = { status: "SUCCESS", result: "first-pass", traceback: null, children: [], date_done: null, task_id: taskId };
    await redis.set(`celery-task-meta-${taskId}`, JSON.stringify(row));
    throw new Reject("", { requeue: true });
  },
});
export const rejectWithoutRequeue = defineTask({
  name: `${MODULE}.reject_without_requeue`,
  run() {
    throw new Reject("rejected");
  },
});

import { BrokerError, type BrokerPort } from "../ports.ts";
import { applySignature } from "../protocol/canvas/canvas-apply.ts";
import type { CanvasStep } from "../protocol/canvas/canvas-plan.ts";
import { chordKeys } from "../protocol/canvas/chord.ts";
import type { Signature } from "../protocol/canvas/signature.ts";
import { encodeJson } from "../protocol/json/json.ts";
import { PyDateTime, type Value, type ValueMap } from "../protocol/json/value.ts";
import { groupKey, RESULT_TTL_SECONDS } from "../protocol/result.ts";
import { type AsyncResult, asyncResult, type ResultReader } from "./async-result.ts";
import type { Surroundings } from "./ports.ts";
import { type Destination, type Routes, routeOf } from "./routes.ts";
import { publication, type SendOptions } from "./send.ts";
import { group, signature } from "./signature.ts";

export interface ClientOptions {
  readonly routes?: Routes | undefined;
  /** Where a task without a route goes. Celery's own default. */
  readonly defaultQueue?: string | undefined;
  /** `gen<pid>@<host>` */
  readonly origin: string;
}

/** A task by name, with the types that the caller knows of it. */
export interface TaskHandle<Args extends readonly unknown[], Result> {
  readonly name: string;
  delay(...args: Args): Promise<AsyncResult<Result>>;
  send(args: Args, options?: SendOptions): Promise<AsyncResult<Result>>;
  /** For chain, group, chord and links. */
  s(...args: readonly Value[]): Signature;
}

export interface Client extends AsyncDisposable {
  /**
   * Sends a task; resolves when the broker took responsibility for it. Tries again while the broker is away, as `retry` says.
   * Throws BrokerError when no queue takes it or the broker refuses, JsonError when an argument cannot be written.
   */
  send<Result = unknown>(
    name: string,
    args?: readonly unknown[],
    kwargs?: Readonly<Record<string, unknown>>,
    options?: SendOptions,
  ): Promise<AsyncResult<Result>>;
  /** Sends a chain, chord or single signature; the result is that of the last step or the body. */
  apply<Result = unknown>(signature: Signature): Promise<AsyncResult<Result>>;
  /** Sends tasks side by side; their results in the same order. */
  applyGroup<Result = unknown>(tasks: readonly Signature[]): Promise<readonly AsyncResult<Result>[]>;
  task<Args extends readonly unknown[], Result>(name: string, defaults?: SendOptions): TaskHandle<Args, Result>;
  /** The result of a task that somebody sent. */
  result<Result = unknown>(id: string): AsyncResult<Result>;
}

/** A producer over a broker and a place of results; both are disposed with it. Never consumes from a queue. */
export function createClient(broker: BrokerPort, reader: ResultReader, options: ClientOptions, world: Surroundings): Client {
  const replyTo = world.newId();
  const route = (name: string, call: Destination) => routeOf(name, call, options.routes ?? {}, options.defaultQueue ?? "celery");

  const publish = async (
    name: string,
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>>,
    call: SendOptions,
  ): Promise<string> => {
    const id = call.id ?? world.newId();
    const message = publication({ id, name, args, kwargs, origin: options.origin, replyTo }, route(name, call), call, world.now());
    const { maxRetries = 3, firstWaitMs = 0, stepMs = 200, maxWaitMs = 1_000 } = call.retry ?? {};
    for (let attempt = 0; ; attempt += 1) {
      try {
        await broker.publish(message);
        return id;
      } catch (error) {
        if (!(error instanceof BrokerError && error.passing) || attempt >= maxRetries) throw error;
        await world.pause(Math.min(maxWaitMs, firstWaitMs + stepMs * attempt));
      }
    }
  };

  const perform = async (step: CanvasStep): Promise<void> => {
    if (step.step === "publish") {
      const { countdown, expires, ...destination } = step.route;
      const { task } = step;
      await publish(task.name, task.args ?? [], task.kwargs ?? {}, {
        ...destination,
        id: task.id,
        fields: task,
        priority: task.priority,
        ...(countdown === undefined ? {} : { countdownMs: countdown * 1_000 }),
        ...(expires === undefined ? {} : { expires: typeof expires === "number" ? expires * 1_000 : new PyDateTime(expires) }),
      });
      return;
    }
    const { results } = reader;
    if (results === undefined) throw new TypeError("a chord needs results: connect() was given no resultBackend");
    if (step.step === "chord-size") await results.write(chordKeys(step.groupId).size, String(step.size), RESULT_TTL_SECONDS);
    if (step.step === "save-group") await results.write(groupKey(step.groupId), encodeJson({ result: step.result }), RESULT_TTL_SECONDS);
  };

  const apply = async (wanted: Signature): Promise<{ readonly id: string; readonly ids: readonly string[] }> => {
    const context = { origin: options.origin, replyTo, newId: () => world.newId() };
    const plan = applySignature(wanted, [], {}, context, "");
    for (const step of plan.steps) await perform(step);
    return { id: plan.id, ids: plan.steps.flatMap((step) => (step.step === "publish" ? [step.task.id] : [])) };
  };

  const client: Client = {
    async send<Result>(
      name: string,
      args: readonly unknown[] = [],
      kwargs: Readonly<Record<string, unknown>> = {},
      call: SendOptions = {},
    ) {
      return asyncResult<Result>(await publish(name, args, kwargs, call), reader);
    },
    apply: async <Result>(wanted: Signature) => asyncResult<Result>((await apply(wanted)).id, reader),
    async applyGroup<Result>(tasks: readonly Signature[]) {
      const frozen = tasks.map((task) => ({ ...task, options: { ...task.options, task_id: task.options?.["task_id"] ?? world.newId() } }));
      await apply(group(...frozen));
      return frozen.map(({ options: { task_id: id } }) => asyncResult<Result>(String(id), reader));
    },
    task<Args extends readonly unknown[], Result>(name: string, defaults: SendOptions = {}): TaskHandle<Args, Result> {
      return {
        name,
        delay: (...args) => client.send<Result>(name, args, {}, defaults),
        send: (args, call = {}) => client.send<Result>(name, args, {}, { ...defaults, ...call }),
        s: (...args) => signature(name, args, {}, signatureOptions(defaults)),
      };
    },
    result: <Result>(id: string) => asyncResult<Result>(id, reader),
    async [Symbol.asyncDispose]() {
      await Promise.all([broker[Symbol.asyncDispose](), reader.results?.[Symbol.asyncDispose]()]);
    },
  };
  return client;
}

function signatureOptions({ queue, exchange, routingKey, priority }: SendOptions): ValueMap {
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(exchange === undefined ? {} : { exchange }),
    ...(routingKey === undefined ? {} : { routing_key: routingKey }),
    ...(priority === undefined ? {} : { priority }),
  };
}

/** Something that runs until it is told to stop: a cache, an election, a server, a loop. */
export interface Service {
  readonly name: string;
  /** Resolves when it runs; what it leaves behind stops it. A throw means that it does not run and needs no stop. */
  start(): Promise<AsyncDisposable>;
}

/**
 * Starts services in order and stops them in reverse. When one cannot start, those before it are stopped and its error is thrown.
 * Stopping twice is once. An error while stopping does not keep the others from being stopped; it is thrown at the end.
 */
export async function startAll(services: readonly Service[]): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  for (const service of services) stack.use(await service.start());
  return stack.move();
}

/** A service from a function that works until its signal aborts. It is started without waiting; stopping waits for its end. */
export function looping(name: string, run: (signal: AbortSignal) => Promise<void>, onFailure: (error: unknown) => void): Service {
  return {
    name,
    async start() {
      const stop = new AbortController();
      const running = run(stop.signal).catch(onFailure);
      return {
        async [Symbol.asyncDispose]() {
          stop.abort();
          await running;
        },
      };
    },
  };
}

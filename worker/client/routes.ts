/** Where a message goes. A queue alone is reached through the broker's default exchange, as Celery does. */
export interface Destination {
  readonly queue?: string | undefined;
  readonly exchange?: string | undefined;
  readonly routingKey?: string | undefined;
  readonly priority?: number | undefined;
}

/** Patterns of task names with `*`, as Celery's `task_routes`; the first that fits wins. */
export type Routes = Readonly<Record<string, Destination>>;

/**
 * The exchange and routing key of a task: what the call says, else its route, else the default queue.
 * Throws TypeError for an exchange without a routing key: the broker would drop the message in silence.
 */
export function routeOf(
  name: string,
  call: Destination,
  routes: Routes,
  defaultQueue: string,
): { readonly exchange: string; readonly routingKey: string; readonly priority: number | undefined } {
  const route = Object.entries(routes).find(([pattern]) => fits(pattern, name))?.[1] ?? {};
  const chosen =
    call.queue !== undefined || call.exchange !== undefined
      ? call
      : { ...route, ...(call.routingKey === undefined ? {} : { routingKey: call.routingKey }) };
  const priority = call.priority ?? route.priority;
  const { queue, exchange, routingKey } = chosen;
  if (exchange === undefined || exchange === "") return { exchange: "", routingKey: queue ?? routingKey ?? defaultQueue, priority };
  if (routingKey === undefined) throw new TypeError(`task ${name}: exchange ${JSON.stringify(exchange)} is given without a routingKey`);
  return { exchange, routingKey, priority };
}

function fits(pattern: string, name: string): boolean {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${source}$`).test(name);
}

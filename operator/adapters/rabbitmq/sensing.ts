import type { BrokerLink } from "../../autoscale/sense/broker-sensor.ts";
import { type BrokerEndpoint, BrokerError } from "../ports.ts";
import { createCeleryEvents } from "./celery-events.ts";
import { openConnection } from "./connection.ts";
import { createRemoteControl } from "./control.ts";
import { describe, redacted } from "./errors.ts";
import { createSense } from "./sense.ts";

const ANSWER_WITHIN_MS = 5_000;

/** What autoscaling needs of a broker, over one AMQP connection that comes back by itself, and the management API. Never throws. */
export function openSensing(endpoint: BrokerEndpoint, options: { readonly random: () => number }): BrokerLink {
  const connection = openConnection(endpoint, { name: "longshore-operator autoscaling", random: options.random });
  const model = () => connection.model();
  const control = createRemoteControl(model);
  const celery = createCeleryEvents(connection);
  return {
    sense: createSense({
      connection: model,
      get: (path, statuses) => getManagement(endpoint, path, statuses),
      scrape: (path) => scrapePrometheus(endpoint, path),
      vhost: endpoint.vhost,
    }),
    control,
    celery,
    async [Symbol.asyncDispose]() {
      await celery[Symbol.asyncDispose]();
      await control[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
    },
  };
}

async function getManagement({ management, display }: BrokerEndpoint, path: string, statuses: readonly number[] = []): Promise<unknown> {
  const { url, username, password } = management;
  const doing = `cannot ask the management API of ${display}`;
  try {
    const login = Buffer.from(`${username}:${password}`).toString("base64");
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Basic ${login}` }, signal });
    if (answer.ok || statuses.includes(answer.status)) return await answer.json();
    await answer.body?.cancel();
    const failure = answer.status === 401 ? "login" : answer.status === 403 ? "forbidden" : "unavailable";
    throw new BrokerError(failure, "management", `${doing}: it answered ${answer.status}`);
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    // fetch says no more than "fetch failed"; its cause says why.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new BrokerError("unreachable", "management", `${doing}: ${redacted(describe(cause), password)}`);
  }
}

/** An answer that takes longer is worth nothing to whoever looks every second. */
const SCRAPE_WITHIN_MS = 3_000;

async function scrapePrometheus({ prometheusUrl, display }: BrokerEndpoint, path: string): Promise<string> {
  if (prometheusUrl === undefined) throw new BrokerError("unreachable", "management", `${display} has no Prometheus endpoint`);
  const answer = await fetch(`${prometheusUrl}${path}`, { redirect: "error", signal: AbortSignal.timeout(SCRAPE_WITHIN_MS) });
  if (answer.ok) return await answer.text();
  await answer.body?.cancel();
  throw new BrokerError("unavailable", "management", `the Prometheus endpoint of ${display} answered ${answer.status}`);
}

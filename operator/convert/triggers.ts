import { type ConvertedFloor, readCronTrigger } from "./cron-trigger.ts";
import { check, mapOf, type Note, none } from "./note.ts";
import { type RabbitTrigger, readRabbitTrigger } from "./rabbitmq-trigger.ts";

type Fields = Readonly<Record<string, unknown>>;

/** One RabbitMQ trigger, with what it was read from. */
type Rabbit = RabbitTrigger & { readonly raw: Fields; readonly at: string };

/** What all triggers of a ScaledObject come to. */
export function readTriggers(triggers: readonly Fields[]) {
  const rabbit: Rabbit[] = [];
  const floors: ConvertedFloor[] = [];
  const notes: Note[] = [];
  for (const [index, raw] of triggers.entries()) {
    const at = `spec.triggers[${index}]`;
    if (raw["type"] === "rabbitmq") rabbit.push({ ...readRabbitTrigger(raw, at), raw, at });
    else if (raw["type"] === "cron") {
      const { floor, notes: said } = readCronTrigger(raw, at);
      if (floor !== undefined) floors.push(floor);
      notes.push(...said);
    } else
      notes.push({
        field: at,
        ...none(`a trigger of type ${String(raw["type"])} has no equivalent: a pool follows its queues, and scheduled floors`),
      });
  }
  const brokers = new Set(rabbit.map(({ raw }) => brokerWords(raw)));
  if (brokers.size > 1) {
    notes.push({
      field: "spec.triggers",
      ...none("triggers of several brokers or vhosts: a pool has one Broker, here that of the first trigger; make one pool for each"),
    });
  }
  if (rabbit.length > 1) {
    notes.push({
      field: "spec.triggers",
      ...check("KEDA takes the highest of several triggers, a pool the sum of its queues; each has the weight that its value gives it"),
    });
  }
  return { rabbit, floors, notes: [...rabbit.flatMap((trigger) => trigger.notes), ...notes] };
}

/** What tells one broker, or vhost, from another. */
function brokerWords({ authenticationRef, metadata }: Fields): string {
  const { host, hostFromEnv, vhostName } = mapOf(metadata);
  return JSON.stringify([mapOf(authenticationRef)["name"], host, hostFromEnv, vhostName]);
}

/**
 * One threshold for the pool: that of the first queue that has one; the weights of the others make up the difference. Two triggers on one
 * queue, as KEDA's maintainers recommend for length and rate, are one entry.
 */
export function queuesOf(triggers: readonly Rabbit[]): readonly unknown[] {
  const base = triggers.find(({ value }) => value !== undefined)?.value;
  const ofQueue = new Map<string, Rabbit>();
  for (const trigger of triggers) {
    const known = ofQueue.get(trigger.queue);
    if (known === undefined || known.value === undefined) ofQueue.set(trigger.queue, trigger);
  }
  return [...ofQueue.values()].map(({ queue, isPattern, value }) => {
    const weight = base === undefined || value === undefined || value <= 0 ? 1 : Number((base / value).toPrecision(3));
    if (isPattern) return { pattern: queue, ...(weight !== 1 && { weight }) };
    return weight === 1 ? queue : { name: queue, weight };
  });
}

/** The pool's targets; where several triggers ask for a wait, the shortest. */
export function targetOf(triggers: readonly Rabbit[]): Fields {
  const value = triggers.find((trigger) => trigger.value !== undefined)?.value;
  const waits = triggers.flatMap(({ waitSeconds }) => waitSeconds ?? []);
  return {
    ...(value !== undefined && { backlogPerReplica: Math.max(1, Math.round(value)) }),
    ...(waits.length > 0 && { waitSeconds: Math.max(0.1, Math.min(...waits)) }),
  };
}

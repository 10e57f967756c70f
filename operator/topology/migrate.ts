import type { BrokerObject } from "../adapters/ports.ts";
import { differences } from "./compare.ts";
import { digestOf, identityOf } from "./identity.ts";

type Queue = BrokerObject & { readonly type: "queue" };
type Binding = BrokerObject & { readonly type: "binding" };

/** What is there now: of the queue and of its holding queue, undefined where there is none. */
export interface MigrationView {
  readonly wanted: Queue;
  readonly queue: Found | undefined;
  readonly holding: Found | undefined;
  /** Whether a binding to the queue was this object's and is not wanted any more: it does not come back. */
  readonly discarded: (binding: Binding) => boolean;
}

export interface Found {
  readonly object: Queue;
  readonly bindings: readonly Binding[];
  /** Ready and unacked. */
  readonly messages: number;
}

/** One step. Each may be done again, whether or not it was done before: after a crash the view alone says how to go on. */
export type MigrationStep =
  | { readonly do: "declare"; readonly object: Queue }
  | { readonly do: "bind" | "unbind"; readonly bindings: readonly Binding[] }
  | { readonly do: "move"; readonly from: Queue; readonly to: Queue; readonly messages: number }
  | { readonly do: "delete"; readonly object: Queue };

const PREFIX = "longshore.migrating.";

/** The queue that holds another one's messages meanwhile. The name says whose it is; a name that would be too long (255 bytes) becomes a digest. */
export function holdingName(queue: string): string {
  const name = `${PREFIX}${queue}`;
  return new TextEncoder().encode(name).length <= 255 ? name : `${PREFIX}${digestOf(queue)}`;
}

export const isHolding = (queue: string): boolean => queue.startsWith(PREFIX);

/** Durable, and without any limit, so that nothing can be dropped or expire in it. */
const holdingQueue = ({ name, kind }: Queue): Queue => ({
  type: "queue",
  name: holdingName(name),
  kind,
  durable: true,
  autoDelete: false,
  exclusive: false,
  arguments: { "x-queue-type": kind },
});

const leadingTo = ({ name }: Queue, bindings: readonly Binding[]): readonly Binding[] =>
  bindings.map((binding) => ({ ...binding, destination: name }));

function lacking(wanted: readonly Binding[], there: readonly Binding[]): readonly Binding[] {
  const known = new Set(there.map(identityOf));
  return wanted.filter((binding) => !known.has(identityOf(binding)));
}

/**
 * The next step of a change of what cannot be changed, in the order in which no message is lost: the holding queue takes over the bindings before the
 * old queue loses them, the old one goes only when it is empty, and the same the other way round. A message that is published while both are bound is in
 * both; one that was being moved when the operator died, too. undefined: nothing to do, or the queue is to be declared as always.
 */
export function migrationStep({ wanted, queue, holding, discarded }: MigrationView): MigrationStep | undefined {
  if (queue === undefined) return undefined;
  if (differences(wanted, queue.object).length > 0) {
    const other = holdingQueue(queue.object);
    if (holding === undefined) return { do: "declare", object: other };
    const bindings = lacking(leadingTo(other, queue.bindings), holding.bindings);
    if (bindings.length > 0) return { do: "bind", bindings };
    if (queue.bindings.length > 0) return { do: "unbind", bindings: queue.bindings };
    if (queue.messages > 0) return { do: "move", from: queue.object, to: holding.object, messages: queue.messages };
    return { do: "delete", object: queue.object };
  }
  if (holding === undefined) return undefined;
  const back = leadingTo(wanted, holding.bindings).filter((binding) => !discarded(binding));
  const bindings = lacking(back, queue.bindings);
  if (bindings.length > 0) return { do: "bind", bindings };
  if (holding.bindings.length > 0) return { do: "unbind", bindings: holding.bindings };
  if (holding.messages > 0) return { do: "move", from: holding.object, to: queue.object, messages: holding.messages };
  return { do: "delete", object: holding.object };
}

/** The step as users read it. */
export function describeStep(step: MigrationStep): string {
  switch (step.do) {
    case "declare":
      return `declare ${step.object.name}, which holds the messages meanwhile`;
    case "bind":
    case "unbind":
      return `${step.do} ${step.bindings[0]?.destination ?? "nothing"} (${step.bindings.length} binding${step.bindings.length === 1 ? "" : "s"})`;
    case "move":
      return `move messages from ${step.from.name} to ${step.to.name}, ${step.messages} to go`;
    case "delete":
      return `delete ${step.object.name}, which is empty`;
  }
}

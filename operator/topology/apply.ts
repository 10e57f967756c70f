import { BrokerError, isSetting, type TopologyPort } from "../adapters/ports.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import { inOrder, type Operation } from "./diff.ts";

/** An operation and whose it is. */
export interface OwnedOperation extends Operation {
  readonly uid: string;
  readonly ifEmpty?: boolean;
}

/** Requests that run side by side; the adapter holds as many connections. */
const PARALLEL = 16;
/** From this many declarations on, one import is faster than as many requests. */
const BULK_FROM = 50;
/** Declarations of one import: the broker takes bodies up to 10 MB, and answers when all of it is done. */
const BULK_UP_TO = 2_000;

/**
 * Does the operations in dependency order. What fails keeps its owner's later operations from running, and nobody else's.
 * Returns the first failure of each owner. Throws `BrokerError` when the broker is lost: then nothing is known about any of them.
 * @param bulk whether this user may import
 */
export async function apply(
  port: TopologyPort,
  operations: readonly OwnedOperation[],
  bulk: boolean,
): Promise<ReadonlyMap<string, BrokerError>> {
  const failures = new Map<string, BrokerError>();
  const attempt = async (operation: OwnedOperation): Promise<void> => {
    const { uid, op, object, ifEmpty = false } = operation;
    if (failures.has(uid)) return;
    try {
      await (op === "declare" ? port.declare(object) : port.remove(object, { ifEmpty }));
    } catch (error) {
      if (!(error instanceof BrokerError) || error.failure === "unreachable") throw error;
      failures.set(uid, error);
    }
  };
  const importable = ({ op, object }: Operation): boolean => op === "declare" && !isSetting(object);
  const declares = operations.filter(importable);
  let rest = bulk && declares.length >= BULK_FROM ? declares : undefined;
  for (const group of inOrder(operations)) {
    // In the turn of the first of them: what is set before exchanges must be there, what is set after them must not be yet.
    if (rest !== undefined && group.some(importable)) rest = rest.length > 0 && !(await importAll(port, rest)) ? undefined : [];
    if (rest === undefined || !group.some(importable)) await inParallel(group, PARALLEL, attempt);
  }
  return failures;
}

/** Whether it worked. When the broker refuses one of them, each is tried by itself, for its own error. */
async function importAll(port: TopologyPort, operations: readonly OwnedOperation[]): Promise<boolean> {
  const objects = inOrder(operations).flatMap((group) => group.map(({ object }) => object));
  try {
    for (let from = 0; from < objects.length; from += BULK_UP_TO) await port.bulk(objects.slice(from, from + BULK_UP_TO));
    return true;
  } catch (error) {
    if (!(error instanceof BrokerError) || error.failure === "unreachable") throw error;
    return false;
  }
}

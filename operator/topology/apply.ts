import { BrokerError, isSetting, type TopologyPort } from "../adapters/ports.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import { inOrder, type Operation } from "./diff.ts";

/** An operation and whose it is. */
export interface OwnedOperation extends Operation {
  readonly uid: string;
  readonly ifEmpty?: boolean;
}

/** Default: everything may be done, and nothing ends it. */
interface Consent {
  readonly mayChange?: (uid: string) => Promise<boolean>;
  /** Declarations of one import, default 100. */
  readonly bulkUpTo?: number | undefined;
  readonly signal?: AbortSignal;
}

/** Requests that run side by side; the adapter holds as many connections. */
const PARALLEL = 16;
/** From this many declarations on, one import is faster than as many requests. */
const BULK_FROM = 50;
/** Declarations of one import: small, so that the broker works on one while it is written down who owns the next, and does others' work between two. */
const BULK_UP_TO = 100;
/** Of the first of several imports: those that somebody waits for do not wait for a hundred. */
const FIRST_UP_TO = 20;

/**
 * Does the operations in dependency order. What fails keeps its owner's later operations from running, and nobody else's.
 * Returns the first failure of each owner. Throws `BrokerError` when the broker is lost: then nothing is known about any of them.
 * @param bulk whether this user may import
 * @param mayChange whether anything may be done for this owner; asked before each operation, and waited for
 */
export async function apply(
  port: TopologyPort,
  operations: readonly OwnedOperation[],
  bulk: boolean,
  consent: Consent = {},
): Promise<ReadonlyMap<string, BrokerError>> {
  const failures = new Map<string, BrokerError>();
  const attempt = async (operation: OwnedOperation): Promise<void> => {
    const { uid, op, object, ifEmpty = false } = operation;
    if (failures.has(uid) || (await consent.mayChange?.(uid)) === false) return;
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
    if (rest !== undefined && group.some(importable)) rest = rest.length > 0 && !(await importAll(port, rest, consent)) ? undefined : [];
    if (rest === undefined || !group.some(importable)) await inParallel(group, PARALLEL, attempt, consent.signal);
  }
  return failures;
}

/** Whether it worked. When the broker refuses one of them, each is tried by itself, for its own error. */
async function importAll(
  port: TopologyPort,
  operations: readonly OwnedOperation[],
  { mayChange, bulkUpTo = BULK_UP_TO, signal }: Consent,
): Promise<boolean> {
  const ordered = inOrder(operations).flat();
  try {
    for (let from = 0, to = ordered.length > bulkUpTo ? FIRST_UP_TO : bulkUpTo; from < ordered.length; [from, to] = [to, to + bulkUpTo]) {
      const part = ordered.slice(from, to);
      const may = await Promise.all(part.map(async ({ uid }) => (await mayChange?.(uid)) ?? true));
      signal?.throwIfAborted();
      const objects = part.filter((_, index) => may[index]).map(({ object }) => object);
      if (objects.length > 0) await port.bulk(objects);
    }
    return true;
  } catch (error) {
    if (!(error instanceof BrokerError) || error.failure === "unreachable") throw error;
    return false;
  }
}

import type { KubePort, Resource, Selection, WatchEvent } from "../../adapters/ports.ts";
import { type Clock, sleep } from "../clock.ts";
import { isKubeError } from "../kube-error.ts";
import { errorFields, type Log } from "../log.ts";
import type { KubeObject } from "../object.ts";
import { type Backoff, backoffMs } from "../queue/backoff.ts";

export interface ReflectorOptions<T extends KubeObject> {
  readonly kube: Pick<KubePort, "list" | "watch">;
  readonly resource: Resource;
  readonly selection: Selection;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Everything there is, after each list. */
  readonly onList: (objects: readonly T[]) => void;
  readonly onEvent: (event: Exclude<WatchEvent<T>, { type: "BOOKMARK" }>) => void;
  /** The trouble in words, or undefined when it is over. */
  readonly onTrouble: (cause: string | undefined) => void;
  /** Called at least once per watch: the loop lives. */
  readonly onRound?: () => void;
}

const PAGE = 500;
/** However long the API server was away, it is noticed within 4 s that it is back. */
const BACKOFF: Backoff = { baseMs: 200, capMs: 4_000 };
const LASTED_MS = 1_000;

/**
 * Lists, then watches from the list's version, until the signal aborts. Versions that expired lead to a new list; lost connections to a new
 * watch from the last version seen; failures wait, ever longer, or as long as the server says. Never throws.
 */
export async function reflect<T extends KubeObject>(options: ReflectorOptions<T>, signal: AbortSignal): Promise<void> {
  const { clock, random, log, onTrouble } = options;
  let version: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    let openedAt = Number.POSITIVE_INFINITY;
    options.onRound?.();
    try {
      version ??= await listAll(options, signal);
      for await (const event of options.kube.watch<T>(options.resource, options.selection, version, signal)) {
        if (openedAt === Number.POSITIVE_INFINITY) {
          openedAt = clock.elapsed();
          onTrouble(undefined);
        }
        version = event.type === "BOOKMARK" ? event.resourceVersion : (event.object.metadata.resourceVersion ?? version);
        if (event.type !== "BOOKMARK") options.onEvent(event);
      }
      // Only a watch that lasted ends a row of failures: a server that closes at once must not be asked in a tight loop.
      if (clock.elapsed() - openedAt >= LASTED_MS) failures = 0;
      else await sleep(clock, backoffMs(BACKOFF, failures++, random()), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (clock.elapsed() - openedAt >= LASTED_MS) failures = 0;
      const first = failures++ === 0;
      if (isKubeError(error, 410)) {
        log.info({ resource: options.resource.plural }, "watch expired, listing again");
        version = undefined;
        if (first) continue;
      } else if (first) {
        log.warn({ resource: options.resource.plural, ...errorFields(error) }, "cannot list or watch, trying again");
      }
      onTrouble(`${options.resource.plural}: ${errorFields(error).error}`);
      const served = isKubeError(error) ? (error.retryAfterMs ?? 0) : 0;
      await sleep(clock, Math.max(served, backoffMs(BACKOFF, failures - 1, random())), signal);
    }
  }
}

/** All pages of one list, handed over as a whole. A list whose continuation expired (410) is begun anew by the caller. */
async function listAll<T extends KubeObject>(
  { kube, resource, selection, onList }: ReflectorOptions<T>,
  signal: AbortSignal,
): Promise<string> {
  const objects: T[] = [];
  let from: string | undefined;
  for (;;) {
    const page = await kube.list<T>(resource, selection, from === undefined ? { limit: PAGE } : { limit: PAGE, continue: from }, signal);
    objects.push(...page.items);
    from = page.continue;
    if (from === undefined || from === "") {
      onList(objects);
      return page.resourceVersion;
    }
  }
}

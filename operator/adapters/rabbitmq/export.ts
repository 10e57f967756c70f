import type { BrokerObject, Part, Snapshot } from "../ports.ts";
import { LIST_DEADLINE_MS, type ManagementApi } from "./http.ts";
import * as objects from "./objects.ts";

/** What no export tells of: tracing is a switch of the broker's nodes. */
const BESIDE: ReadonlySet<Part> = new Set<Part>(["vhost"]);
/** The lists may lag behind the version for a moment: only what was read so often under it is taken for it. */
const READS = 2;

interface Seen {
  readonly etag: string;
  readonly reads: number;
}

/**
 * The export of a vhost's definitions. Since RabbitMQ 4.3.5 it carries an ETag, made of the version of all metadata of the broker: while it is the same,
 * nothing has changed anywhere, and one small answer says so.
 */
export interface Export {
  /** @param rest reads what the export does not have, of these parts. Throws `BrokerError`. */
  observe(parts: readonly Part[], rest: (parts: readonly Part[]) => Promise<readonly BrokerObject[]>): Promise<Snapshot>;
  /** Nothing that was seen counts any more. */
  forget(): void;
}

export function createExport(api: ManagementApi, vhost: string): Export {
  const seen = new Map<Part, Seen>();
  let tagged = true;
  const path = `/definitions/${encodeURIComponent(vhost)}`;

  return {
    forget: () => seen.clear(),
    async observe(parts, rest) {
      const steady = parts.filter((part) => !BESIDE.has(part));
      const [first, ...others] = steady.map((part) => seen.get(part));
      const known = first !== undefined && first.reads >= READS && others.every((one) => one?.etag === first.etag && one.reads >= READS);
      const call = api.callUnless(known ? first.etag : undefined, { method: "GET", path, deadlineMs: LIST_DEADLINE_MS });
      // Where there are versions the rest is read after the version: it may be newer than it, never older.
      const early = tagged ? undefined : rest(parts);
      const [answer] = await Promise.all([call, early]);
      if (answer === "unchanged") {
        const beside = parts.filter((part) => BESIDE.has(part));
        return { objects: beside.length === 0 ? [] : await rest(beside), unchanged: steady, versioned: true };
      }
      const found = [...objects.definedIn(answer.json), ...(await (early ?? rest(parts)))];
      const { etag } = answer;
      tagged = etag !== undefined;
      for (const part of steady) {
        const before = seen.get(part);
        if (etag === undefined) seen.delete(part);
        else seen.set(part, { etag, reads: before?.etag === etag ? before.reads + 1 : 1 });
      }
      return { objects: found, versioned: tagged };
    },
  };
}

import { type BrokerObject, type Part, partOf, type Target, type TopologyPort } from "../adapters/ports.ts";
import { inParallel } from "./apply.ts";
import type { Actual } from "./diff.ts";
import { targetKey, targetOf } from "./identity.ts";

/** Targets that are read one by one; beyond it their whole parts are listed. */
const READ_UP_TO = 64;
const PARALLEL = 8;

/** What a vhost and its broker have, as far as it was looked at; kept fresh target by target. */
export interface Picture {
  readonly actual: Actual;
  /** From now on these parts are looked at, too: what nobody has an object for is not asked about. */
  follow(parts: Iterable<Part>): void;
  /** Something may have changed there, or anywhere in a part; without either, anywhere. The next `refresh` looks. */
  doubt(what?: Target | Part): void;
  /** Whether `refresh` has anything to look at. */
  readonly doubtful: boolean;
  /** Looks again at what is in doubt. Throws `BrokerError`; the doubt remains then. Resolves whether it asked the broker. */
  refresh(): Promise<boolean>;
}

/** Begins with everything in doubt. */
export function createPicture(port: Pick<TopologyPort, "observe" | "read">): Picture {
  let actual = new Map<string, readonly BrokerObject[]>();
  const followed = new Set<Part>(["topology"]);
  const parts = new Set<Part>(followed);
  const targets = new Map<string, Target>();

  const observe = async (): Promise<void> => {
    const [looking, waiting] = [[...parts], [...targets.values()].filter((target) => parts.has(partOf(target)))];
    parts.clear();
    for (const target of waiting) targets.delete(targetKey(target));
    try {
      const fresh = grouped((await port.observe(looking)).objects);
      const seen = new Set<Part>(looking);
      for (const [key, objects] of actual) {
        const [first] = objects;
        if (first !== undefined && !seen.has(partOf(targetOf(first)))) fresh.set(key, objects);
      }
      actual = fresh;
    } catch (error) {
      for (const part of looking) parts.add(part);
      throw error;
    }
  };
  const read = async (): Promise<void> => {
    const list = [...targets.values()];
    targets.clear();
    await inParallel(list, PARALLEL, async (target) => {
      try {
        const found = await port.read(target);
        if (found.length === 0) actual.delete(targetKey(target));
        else actual.set(targetKey(target), found);
      } catch (error) {
        for (const one of list) targets.set(targetKey(one), one);
        throw error;
      }
    });
  };

  return {
    get actual() {
      return actual;
    },
    get doubtful() {
      return parts.size > 0 || targets.size > 0;
    },
    follow(wanted) {
      for (const part of wanted) {
        if (followed.has(part)) continue;
        followed.add(part);
        parts.add(part);
      }
    },
    doubt(what) {
      if (what === undefined) for (const part of followed) parts.add(part);
      else if (typeof what === "string") {
        if (followed.has(what)) parts.add(what);
      } else if (followed.has(partOf(what))) targets.set(targetKey(what), what);
    },
    async refresh() {
      if (parts.size === 0 && targets.size === 0) return false;
      if (targets.size > READ_UP_TO) for (const target of targets.values()) parts.add(partOf(target));
      if (parts.size > 0) await observe();
      await read();
      return true;
    },
  };
}

function grouped(objects: readonly BrokerObject[]): Map<string, readonly BrokerObject[]> {
  const groups = new Map<string, BrokerObject[]>();
  for (const object of objects) {
    const key = targetKey(targetOf(object));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [object]);
    else group.push(object);
  }
  return groups;
}

import { isDeepStrictEqual } from "node:util";
import { type BrokerObject, type Part, partOf, type Target, type TopologyPort } from "../adapters/ports.ts";
import { inParallel } from "../runtime/in-parallel.ts";
import type { Actual } from "./diff.ts";
import { targetKey, targetOf } from "./identity.ts";

/** Targets that are read one by one; beyond it their whole parts are listed. */
const READ_UP_TO = 64;
const PARALLEL = 8;

/** What a vhost and its broker have, as far as it was looked at; kept fresh target by target. */
export interface Picture {
  /** What is unchanged since the last look is the same array: whoever compared it need not do it again. */
  readonly actual: Actual;
  /** From now on these parts are looked at, too: what nobody has an object for is not asked about. */
  follow(parts: Iterable<Part>): void;
  /** Something may have changed there, or anywhere in a part; without either, anywhere. The next `refresh` looks. */
  doubt(what?: Target | Part): void;
  /** It was made, or a binding to it: a doubt only where it is not known to be there. So our own declarations are not looked at twice. */
  appeared(target: Target): void;
  /** Whether the broker tells by a version that nothing changed: then a look at everything is one small answer. */
  readonly versioned: boolean;
  /** Whether everything that is followed has been looked at once. */
  readonly looked: boolean;
  /** Whether that part has been looked at once: else what is not in `actual` may be there all the same. */
  knows(part: Part): boolean;
  /** Whether `refresh` has anything to look at. */
  readonly doubtful: boolean;
  /** Looks again at what is in doubt. Throws `BrokerError`; the doubt remains then. Resolves whether it asked the broker. */
  refresh(): Promise<boolean>;
  /** Looks at these alone, also while a `refresh` runs, which then looks at them once more. Throws `BrokerError`. */
  look(targets: Iterable<Target>): Promise<void>;
}

/** Begins with everything in doubt. */
export function createPicture(port: Pick<TopologyPort, "observe" | "read">): Picture {
  let actual = new Map<string, readonly BrokerObject[]>();
  let observing = false;
  let versioned = false;
  const looked = new Set<Part>();
  const followed = new Set<Part>(["topology"]);
  const parts = new Set<Part>(followed);
  const targets = new Map<string, Target>();

  const observe = async (): Promise<void> => {
    const [looking, waiting] = [[...parts], [...targets.values()].filter((target) => parts.has(partOf(target)))];
    parts.clear();
    for (const target of waiting) targets.delete(targetKey(target));
    observing = true;
    try {
      const { objects, unchanged = [], versioned: told = false } = await port.observe(looking);
      if (looking.includes("topology")) versioned = told;
      const fresh = grouped(objects);
      const seen = new Set<Part>(looking).difference(new Set(unchanged));
      for (const [key, objects] of actual) {
        const [first] = objects;
        const found = fresh.get(key);
        const unseen = first !== undefined && !seen.has(partOf(targetOf(first)));
        if (unseen || (found !== undefined && isDeepStrictEqual(found, objects))) fresh.set(key, objects);
      }
      actual = fresh;
      for (const part of looking) looked.add(part);
    } catch (error) {
      for (const part of looking) parts.add(part);
      throw error;
    } finally {
      observing = false;
    }
  };
  const readOne = async (target: Target): Promise<void> => {
    const found = await port.read(target);
    const key = targetKey(target);
    if (found.length === 0) actual.delete(key);
    else actual.set(key, found);
  };
  const read = async (): Promise<void> => {
    const list = [...targets.values()];
    targets.clear();
    try {
      await inParallel(list, PARALLEL, readOne);
    } catch (error) {
      for (const one of list) targets.set(targetKey(one), one);
      throw error;
    }
  };
  const doubtTarget = (target: Target): void => {
    if (followed.has(partOf(target))) targets.set(targetKey(target), target);
  };

  return {
    get actual() {
      return actual;
    },
    get versioned() {
      return versioned;
    },
    get looked() {
      return followed.isSubsetOf(looked);
    },
    get doubtful() {
      return parts.size > 0 || targets.size > 0;
    },
    knows: (part) => looked.has(part),
    follow(wanted) {
      for (const part of wanted) {
        if (followed.has(part)) continue;
        followed.add(part);
        parts.add(part);
      }
    },
    doubt(what) {
      if (what === undefined) for (const part of followed) parts.add(part);
      else if (typeof what === "object") doubtTarget(what);
      else if (followed.has(what)) parts.add(what);
    },
    appeared(target) {
      if (!actual.has(targetKey(target))) doubtTarget(target);
    },
    async refresh() {
      if (parts.size === 0 && targets.size === 0) return false;
      if (targets.size > READ_UP_TO) for (const target of targets.values()) parts.add(partOf(target));
      if (parts.size > 0) await observe();
      // What came meanwhile, unless it is so much that the next list is the better way.
      if (targets.size <= READ_UP_TO) await read();
      return true;
    },
    async look(wanted) {
      const list = [...wanted];
      await inParallel(list, PARALLEL, readOne);
      if (observing) list.forEach(doubtTarget);
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

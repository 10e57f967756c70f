import type { BrokerObject, Target, TopologyPort } from "../adapters/ports.ts";
import { inParallel } from "./apply.ts";
import type { Actual } from "./diff.ts";
import { targetKey, targetOf } from "./identity.ts";

/** Targets that are read one by one; beyond it the whole vhost is listed. */
const READ_UP_TO = 64;
const PARALLEL = 8;

/** What a vhost has, as far as it was looked at; kept fresh target by target. */
export interface Picture {
  readonly actual: Actual;
  /** Something may have changed there; without a target, anywhere. The next `refresh` looks. */
  doubt(target?: Target): void;
  /** Whether `refresh` has anything to look at. */
  readonly doubtful: boolean;
  /** Looks again at what is in doubt. Throws `BrokerError`; the doubt remains then. Resolves whether it asked the broker. */
  refresh(): Promise<boolean>;
}

/** Begins with everything in doubt. */
export function createPicture(port: Pick<TopologyPort, "observe" | "read">): Picture {
  let actual = new Map<string, readonly BrokerObject[]>();
  let everything = true;
  let doubts = new Map<string, Target>();

  const observe = async (): Promise<void> => {
    everything = false;
    doubts = new Map();
    try {
      actual = grouped((await port.observe()).objects);
    } catch (error) {
      everything = true;
      throw error;
    }
  };
  const read = async (): Promise<void> => {
    const targets = [...doubts.values()];
    doubts = new Map();
    await inParallel(targets, PARALLEL, async (target) => {
      try {
        const found = await port.read(target);
        if (found.length === 0) actual.delete(targetKey(target));
        else actual.set(targetKey(target), found);
      } catch (error) {
        for (const one of targets) doubts.set(targetKey(one), one);
        throw error;
      }
    });
  };

  return {
    get actual() {
      return actual;
    },
    get doubtful() {
      return everything || doubts.size > 0;
    },
    doubt(target) {
      if (target === undefined) everything = true;
      else doubts.set(targetKey(target), target);
    },
    async refresh() {
      if (!everything && doubts.size === 0) return false;
      await (everything || doubts.size > READ_UP_TO ? observe() : read());
      return true;
    },
  };
}

function grouped(objects: readonly BrokerObject[]): Map<string, BrokerObject[]> {
  const groups = new Map<string, BrokerObject[]>();
  for (const object of objects) {
    const key = targetKey(targetOf(object));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [object]);
    else group.push(object);
  }
  return groups;
}

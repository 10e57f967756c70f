/** A set of keys, taken by priority and then by order of arrival. Constant time however many keys wait, as long as priorities are few. */
export interface PrioritySet {
  readonly size: number;
  /** A key that is there keeps its place, unless this priority is higher. */
  add(key: string, priority: number): void;
  /** Takes the first of the highest priority. */
  shift(): string | undefined;
  clear(): void;
}

export function createPrioritySet(): PrioritySet {
  const priorities = new Map<string, number>();
  const lanes = new Map<number, Set<string>>();

  const leave = (key: string, priority: number): void => {
    const lane = lanes.get(priority);
    lane?.delete(key);
    if (lane?.size === 0) lanes.delete(priority);
  };

  return {
    get size() {
      return priorities.size;
    },
    add(key, priority) {
      const before = priorities.get(key);
      if (before !== undefined && before >= priority) return;
      if (before !== undefined) leave(key, before);
      priorities.set(key, priority);
      const lane = lanes.get(priority) ?? new Set();
      lanes.set(priority, lane.add(key));
    },
    shift() {
      const [highest] = [...lanes.keys()].sort((a, b) => b - a);
      if (highest === undefined) return undefined;
      const [key] = lanes.get(highest) ?? [];
      if (key === undefined) return undefined;
      priorities.delete(key);
      leave(key, highest);
      return key;
    },
    clear() {
      priorities.clear();
      lanes.clear();
    },
  };
}

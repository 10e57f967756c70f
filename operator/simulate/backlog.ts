/** The tasks that wait, first in, first out, by their number in the trace. */
export interface Backlog {
  readonly size: number;
  add(task: number): void;
  /** The one at the head. Throws a `RangeError` when nothing waits. */
  take(): number;
  /** Puts a task that was killed back to the head, as the broker does. */
  giveBack(task: number): void;
}

export function createBacklog(): Backlog {
  const back: number[] = [];
  const returned: number[] = [];
  let head = 0;
  return {
    get size() {
      return returned.length + back.length - head;
    },
    add: (task) => void back.push(task),
    take() {
      const task = returned.pop() ?? back[head++];
      if (task === undefined) throw new RangeError("no task waits");
      return task;
    },
    giveBack: (task) => void returned.push(task),
  };
}

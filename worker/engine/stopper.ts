/** How a task in a slot is told to stop: once, the first reason wins. */
export interface Stopper {
  /** Made when it is first asked for: to most tasks nobody ever says stop. */
  readonly signal: AbortSignal;
  readonly aborted: boolean;
  abort(reason: Error): void;
  /** Told of every `abort`, also of those after the first. */
  onAbort: ((reason: Error) => void) | undefined;
}

export function newStopper(): Stopper {
  let control: AbortController | undefined;
  let first: Error | undefined;
  return {
    onAbort: undefined,
    get aborted() {
      return first !== undefined;
    },
    get signal() {
      control ??= new AbortController();
      if (first !== undefined) control.abort(first);
      return control.signal;
    },
    abort(reason) {
      first ??= reason;
      control?.abort(first);
      this.onAbort?.(reason);
    },
  };
}

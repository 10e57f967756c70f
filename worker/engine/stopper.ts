/** How a task in a slot is told to stop: once, the first reason wins. */
export class Stopper {
  #control: AbortController | undefined;
  #first: Error | undefined;
  /** Told of every `abort`, also of those after the first. */
  onAbort: ((reason: Error) => void) | undefined = undefined;

  get aborted(): boolean {
    return this.#first !== undefined;
  }

  /** Made when it is first asked for: to most tasks nobody ever says stop. */
  get signal(): AbortSignal {
    this.#control ??= new AbortController();
    if (this.#first !== undefined) this.#control.abort(this.#first);
    return this.#control.signal;
  }

  abort(reason: Error): void {
    this.#first ??= reason;
    this.#control?.abort(this.#first);
    this.onAbort?.(reason);
  }
}

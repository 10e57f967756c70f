const MODULE = "t.integration.tasks";

/** `ExpectedException(*args)` of the suite's tasks. */
export class ExpectedException extends Error {
  readonly pyClass = `${MODULE}.ExpectedException`;
  readonly pyArgs: readonly unknown[];
  constructor(...args: readonly unknown[]) {
    super(args.map(String).join(", "));
    this.pyArgs = args;
  }
}

/** Python cannot make it from its arguments alone: `bar` is missing among them. */
export class UnpickleableException extends Error {
  readonly pyClass = `${MODULE}.UnpickleableException`;
}

/** Python's `ValueError`. */
export class ValueError extends Error {
  readonly pyClass = "builtins.ValueError";
}

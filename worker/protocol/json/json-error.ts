/** Why a text is no JSON that this worker takes, or a value cannot be written as one. `at` is an offset or a path. */
export class JsonError extends Error {
  readonly code: "syntax" | "depth" | "size" | "typed-value" | "number" | "unserializable";
  override readonly name = "JsonError";

  constructor(code: JsonError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

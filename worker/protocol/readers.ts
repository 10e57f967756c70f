import type { BodyReader } from "./message.ts";
import { decodeMsgpack } from "./msgpack.ts";
import { decodeYaml } from "./yaml-body.ts";

/** Content types that Celery's producers may use besides JSON, for `decodeTask`. Pickle is not among them, and never will be: to read it is to run code. */
export const BODY_READERS: Readonly<Record<string, BodyReader>> = {
  "application/x-msgpack": decodeMsgpack,
  "application/x-yaml": decodeYaml,
};

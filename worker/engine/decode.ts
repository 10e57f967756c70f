import { decompress } from "../compression.ts";
import type { MessageProperties } from "../ports.ts";
import { decodeTask } from "../protocol/message.ts";
import { BODY_READERS } from "../protocol/readers.ts";
import type { Decoded } from "../protocol/task-message.ts";

/** A small message must not become a large one here. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A message as a task, in every encoding that this worker takes. Never throws. */
export const decodeDelivery = (message: { readonly properties: MessageProperties; readonly body: Uint8Array }): Decoded =>
  decodeTask(message, { readers: BODY_READERS, decompress: (body, compression) => decompress(body, compression, MAX_BYTES) });

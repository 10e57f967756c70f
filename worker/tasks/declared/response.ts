import { decodeJson } from "../../protocol/json/json.ts";
import type { Value } from "../../protocol/json/value.ts";

export interface Bounded {
  readonly text: string;
  readonly truncated: boolean;
}

/** The beginning of a response's body; the rest is not even received. */
export async function readBounded(response: Response, limit: number): Promise<Bounded> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > limit) break;
  }
  return { text: Buffer.concat(chunks).subarray(0, limit).toString("utf8"), truncated: size > limit };
}

/** A JSON body as its value, everything else as text. Never throws: what calls itself JSON and is none stays text. */
export function toValue(response: Response, { text, truncated }: Bounded): Value {
  if (truncated || !/\bjson\b/.test(response.headers.get("content-type") ?? "")) return text;
  try {
    return decodeJson(text);
  } catch {
    return text;
  }
}

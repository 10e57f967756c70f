import type { ArgumentValue } from "../adapters/ports.ts";

/** URIs as brokers take them: several, with blanks between, are a list; one is text. Never throws. */
export function urisOf(text: string): ArgumentValue {
  const uris = text.split(/\s+/).filter((uri) => uri !== "");
  return uris.length > 1 ? uris : (uris[0] ?? "");
}

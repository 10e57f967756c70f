import type { Readable } from "node:stream";
import * as z from "zod";
import { KubeError } from "../../runtime/kube-error.ts";
import type { KubeObject } from "../../runtime/object.ts";
import type { WatchEvent } from "../ports.ts";
import { refused, unanswered } from "./failure.ts";

/** One line of a watch; the object is checked no further: the API server has checked it. */
const lineSchema = z.object({
  type: z.enum(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]),
  object: z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string().optional() }).optional() }),
});

/**
 * The events of a watch: one JSON object a line. Ends when the server ends it.
 * Throws `KubeError`: what an ERROR event says (410 when the version expired), status 0 when the connection breaks or a line is no event.
 */
export async function* watchEvents<T extends KubeObject>(stream: Readable, what: string): AsyncGenerator<WatchEvent<T>> {
  let rest = "";
  stream.setEncoding("utf8");
  try {
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield eventOf<T>(line, what);
    }
  } catch (error) {
    throw unanswered(error, what);
  } finally {
    stream.destroy();
  }
}

function eventOf<T extends KubeObject>(line: string, what: string): WatchEvent<T> {
  const json: unknown = JSON.parse(line);
  const parsed = lineSchema.safeParse(json);
  if (!parsed.success) throw new KubeError(0, "Unreadable", `${what}: the watch sent what is no event`);
  const { type, object } = parsed.data;
  if (type === "ERROR") throw refused(500, object, undefined, what);
  if (type === "BOOKMARK") return { type, resourceVersion: object.metadata?.resourceVersion ?? "" };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what the resource holds; the API server has checked it
  return { type, object: withoutBallast(object) as unknown as T };
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Without who wrote which field, and the copy of the whole spec that kubectl keeps: most of an object's bytes, and nothing of ours reads them. */
export function withoutBallast<O extends { readonly metadata?: unknown }>(object: O): O {
  const { metadata } = object;
  if (!isTable(metadata)) return object;
  Reflect.deleteProperty(metadata, "managedFields");
  if (isTable(metadata.annotations)) Reflect.deleteProperty(metadata.annotations, LAST_APPLIED);
  return object;
}

const isTable = (value: unknown): value is { readonly annotations?: unknown } => typeof value === "object" && value !== null;

import { hash } from "node:crypto";

/** RFC 9562, version 5, below a name space of our own. */
const NAME_SPACE = Buffer.from("6f1f5c5c0a6b5d0c9c7d9a4c0c0b7a11", "hex");

/**
 * The id of the task that a schedule publishes for one due time, or for one value of the run-now annotation: the same whoever publishes it, so that
 * a Longshore worker runs it once even when two do.
 * @param due ms since the epoch, or the annotation's value
 */
export function taskIdOf(uid: string, due: number | { readonly runNow: string }): string {
  const name = typeof due === "number" ? `${uid}/${due}` : `${uid}/run-now/${due.runNow}`;
  const digest = hash("sha1", Buffer.concat([NAME_SPACE, Buffer.from(name)]), "buffer").subarray(0, 16);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return digest.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

import { readdirSync, readFileSync } from "node:fs";
import type { MessageProperties } from "../../worker/ports.ts";

/** A message as the recorder saw it. */
export interface MessageVector {
  readonly name: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Readonly<Record<string, string | number>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** All rows of one kind, of every recorded version of Celery. */
export function readVectors<Row>(kind: string): readonly (Row & { readonly version: string })[] {
  const files = readdirSync(import.meta.dirname).filter((file) => file.startsWith(`${kind}-`) && file.endsWith(".json"));
  if (files.length === 0) throw new Error(`no vectors of kind ${kind}`);
  return files.flatMap((file) => {
    const rows = JSON.parse(readFileSync(`${import.meta.dirname}/${file}`, "utf8")) as readonly Row[];
    return rows.map((row) => ({ ...row, version: file.slice(kind.length + 1, -5) }));
  });
}

const NAMES: Readonly<Record<string, keyof MessageProperties>> = {
  content_type: "contentType",
  content_encoding: "contentEncoding",
  correlation_id: "correlationId",
  reply_to: "replyTo",
  delivery_mode: "deliveryMode",
  priority: "priority",
  expiration: "expiration",
  timestamp: "timestamp",
};

/** The message as our adapter hands it over. */
export function asMessage(row: MessageVector): { readonly properties: MessageProperties; readonly body: Buffer } {
  const properties = Object.entries(row.properties).map(([name, value]) => [NAMES[name] ?? name, value]);
  return { properties: { ...Object.fromEntries(properties), headers: row.headers }, body: Buffer.from(row.body, "base64") };
}

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { adopt } from "./adopt.ts";
import { definitionsSchema } from "./definitions.ts";
import { kubeYaml } from "./kube-yaml.ts";
import { UsageError } from "./yaml-source.ts";

export const IMPORT_USAGE = `longshore import <definitions.json> [--broker NAME]
longshore import --uri-env VARIABLE [--broker NAME]
  Writes manifests for everything in RabbitMQ's definitions to the standard output: from an exported file, or from the management API of a live
  broker, whose http(s)://user:password@host:port stands in an environment variable. Every object is deletionPolicy: Retain.
`;

/** The command `import`. Throws `UsageError` when the definitions cannot be read; never shows a login. */
export async function importDefinitions(args: readonly string[], folder: string, print: (text: string) => void): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { broker: { type: "string", default: "rabbitmq" }, "uri-env": { type: "string" } },
  });
  const [file] = positionals;
  const variable = values["uri-env"];
  if ((file === undefined) === (variable === undefined)) throw new UsageError(`give a file, or --uri-env\n\n${IMPORT_USAGE}`);
  const text =
    file === undefined ? await fromBroker(process.env[variable ?? ""] ?? "", variable ?? "") : await fromFile(resolve(folder, file));
  const parsed = definitionsSchema.safeParse(jsonIn(text));
  if (!parsed.success) throw new UsageError(`these are no definitions of RabbitMQ: ${z.prettifyError(parsed.error)}`);
  const { manifests, left, missing } = adopt(parsed.data, values.broker);
  print(missing.map((line) => `# to make before: ${line}\n`).join(""));
  print(left.map((line) => `# left out: ${line}\n`).join(""));
  print(manifests.map(kubeYaml).join("---\n"));
}

async function fromFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError("these are no definitions of RabbitMQ: expected the JSON that rabbitmqctl export_definitions writes");
  }
}

async function fromBroker(uri: string, variable: string): Promise<string> {
  const url = URL.parse(`${uri.replace(/\/+$/, "")}/api/definitions`);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`${variable}: expected http(s)://user:password@host:port`);
  const [username, password] = [url.username, url.password].map(decodeURIComponent);
  url.username = "";
  url.password = "";
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const answer = await fetch(url, { headers: { authorization }, signal: AbortSignal.timeout(60_000) });
  if (!answer.ok) throw new UsageError(`${url.host} answers ${answer.status}: the user needs the tag administrator`);
  return answer.text();
}

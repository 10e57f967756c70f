import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Note } from "../convert/note.ts";
import { type Beside, type Converted, convertScaledObject } from "../convert/scaled-object.ts";
import { queueEntries } from "../kinds/worker-pool/inputs.ts";
import { type WorkerPool, workerPoolKind } from "../kinds/worker-pool/schema.ts";
import { CELERY_BEAT_USAGE, celeryBeat } from "./celery-beat.ts";
import { kubeYaml } from "./kube-yaml.ts";
import { asMap, readObjects, UsageError, type YamlObject } from "./yaml-source.ts";

export const CONVERT_USAGE = `npm run longshore -- convert scaledobject.yaml [options]

Turns each KEDA ScaledObject with a RabbitMQ trigger into a WorkerPool and a Broker, and says of every field what became of it.
The file may hold its TriggerAuthentications and the Deployment, too: they are made use of.

  --runtime custom        custom: any consumer; celery: a Python Celery worker, which is drained by remote control
  --all                   list also the fields that were simply mapped

${CELERY_BEAT_USAGE}`;

const RUNTIMES = ["custom", "celery"] as const;
/** Where the Deployment is not in the file. */
const STUB_TEMPLATE = { spec: { containers: [{ name: "worker", image: "registry.example/consumer:replace-me" }] } };

/** The command `convert`: prints manifests, each after comments on what has no equivalent. Throws `UsageError` for what the user can correct. */
export async function convert(args: readonly string[], folder: string, print: (text: string) => void): Promise<void> {
  if (args[0] === "celerybeat") return await celeryBeat(args.slice(1), folder, print);
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { runtime: { type: "string", default: "custom" }, all: { type: "boolean", default: false } },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError(`convert needs one file\n\n${CONVERT_USAGE}`);
  const runtime = RUNTIMES.find((one) => one === values.runtime);
  if (runtime === undefined) throw new UsageError(`--runtime is ${JSON.stringify(values.runtime)}; expected one of ${RUNTIMES.join(", ")}`);
  const objects = readObjects(await readText(folder, file), file);
  const scaled = objects.filter(({ value }) => value["kind"] === "ScaledObject");
  for (const object of objects) if (object.value["kind"] === "ScaledJob") throw refuseJob(object);
  if (scaled.length === 0) throw new UsageError(`${file}: no ScaledObject; it has ${kindsOf(objects)}`);
  const beside = { authentications: byName(objects, /^(Cluster)?TriggerAuthentication$/), deployments: byName(objects, /^Deployment$/) };
  print(scaled.map((object) => printable(convertOne(object, beside), runtime, values.all)).join("---\n"));
}

function convertOne(object: YamlObject, beside: Beside): Converted {
  const converted = convertScaledObject(object.value, beside);
  const { queues } = converted.pool;
  if (!Array.isArray(queues) || queues.length === 0) {
    throw new UsageError(
      `${object.where(["spec", "triggers"])}: spec.triggers: none is of type rabbitmq; a WorkerPool follows RabbitMQ queues`,
    );
  }
  return converted;
}

function refuseJob({ value, where }: YamlObject): UsageError {
  const name = String(asMap(value["metadata"])["name"] ?? "");
  return new UsageError(
    `${where(["kind"])}: ScaledJob ${name} has no equivalent: Longshore starts no Job per message. It keeps replicas that take one task after the ` +
      "other and are removed only when they are idle, which is what ScaledJobs are mostly used for: make its container a consumer that goes on, " +
      "and write a WorkerPool for it",
  );
}

function printable({ name, namespace, annotations, pool, broker, notes }: Converted, runtime: string, all: boolean): string {
  const spec = { runtime, ...pool, template: pool["template"] ?? STUB_TEMPLATE };
  const meta = (of: string) => ({ name: of, ...(namespace !== undefined && { namespace }) });
  const metadata = { ...meta(name), ...(Object.keys(annotations).length > 0 && { annotations }) };
  const parsed = workerPoolKind.spec.safeParse(spec);
  const refused = parsed.success
    ? refusedQueues(parsed.data)
    : parsed.error.issues.map(({ path, message }) => `# REFUSED  spec.${path.join(".")}: ${message}`);
  const brokerName = broker.uriFrom.secretKeyRef.name;
  const header = [
    `# WorkerPool ${name}, from KEDA's ScaledObject. Delete the ScaledObject before you apply this: two autoscalers fight.`,
    ...refused,
    ...lines("NO EQUIVALENT", notes, "none"),
    ...lines("CHECK", notes, "check"),
    ...(all ? lines("MAPPED", notes, "mapped") : []),
  ];
  const document = (kind: string, of: object, body: object): string =>
    kubeYaml({ apiVersion: "longshore.dev/v1alpha1", kind, metadata: of, spec: body });
  return `${header.join("\n")}\n${document("Broker", meta(brokerName), broker)}---\n${document("WorkerPool", metadata, spec)}`;
}

function refusedQueues(spec: WorkerPool["spec"]): readonly string[] {
  const queues = queueEntries({ spec });
  return "problem" in queues ? [`# REFUSED  ${queues.problem}`] : [];
}

const lines = (title: string, notes: readonly Note[], outcome: Note["outcome"]): readonly string[] =>
  notes.filter((note) => note.outcome === outcome).map(({ field, words }) => `# ${title}  ${field}: ${words.replaceAll("\n", " ")}`);

const byName = (objects: readonly YamlObject[], kind: RegExp): ReadonlyMap<string, Readonly<Record<string, unknown>>> =>
  new Map(
    objects.filter(({ value }) => kind.test(String(value["kind"]))).map(({ value }) => [String(asMap(value["metadata"])["name"]), value]),
  );

const kindsOf = (objects: readonly YamlObject[]): string => objects.map(({ value }) => String(value["kind"])).join(", ") || "nothing";

async function readText(folder: string, file: string): Promise<string> {
  try {
    return await readFile(resolve(folder, file), "utf8");
  } catch (error) {
    throw new UsageError(`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type ConvertedBeat, convertBeat } from "../convert/celery-beat.ts";
import { scheduleKind } from "../kinds/schedule/schema.ts";
import { GROUP, VERSION } from "../runtime/define-kind.ts";
import { kubeYaml } from "./kube-yaml.ts";
import { UsageError } from "./yaml-source.ts";

export const CELERY_BEAT_USAGE = `npm run longshore -- convert celerybeat beat.json [options]

Turns Celery's beat_schedule, as JSON, into Schedules, and says what has no equivalent. docs/schedules.md shows how to write the JSON.

  --time-zone UTC      Celery's setting timezone
  --queue celery       where tasks go whose entry names no queue: Celery's task_default_queue
  --broker rabbitmq    name of the Broker object
  --store redis        name of the Store object
`;

/**
 * The command `convert celerybeat`: prints manifests, each after comments on what has no equivalent. Throws `UsageError` for what the user can correct.
 * @param folder that paths are meant from
 */
export async function celeryBeat(args: readonly string[], folder: string, print: (text: string) => void): Promise<void> {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      "time-zone": { ...text, default: "UTC" },
      queue: { ...text, default: "celery" },
      broker: { ...text, default: "rabbitmq" },
      store: { ...text, default: "redis" },
    },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError(`convert celerybeat needs one file\n\n${CELERY_BEAT_USAGE}`);
  const { "time-zone": timeZone, ...options } = values;
  print((await converted(resolve(folder, file), { ...options, timeZone })).map(printable).join("---\n"));
}

async function converted(file: string, options: Parameters<typeof convertBeat>[1]): Promise<readonly ConvertedBeat[]> {
  try {
    return convertBeat(JSON.parse(await readFile(file, "utf8")), options);
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function printable({ entry, schedule, notes }: ConvertedBeat): string {
  const comments = [`# ${JSON.stringify(entry)} of beat_schedule`, ...notes.map((note) => `# NOTE  ${note}`)];
  if (schedule === undefined) return `${comments.join("\n")}\n`;
  const parsed = scheduleKind.spec.safeParse(schedule.spec);
  const refused = parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `# REFUSED  spec.${path.join(".")}: ${message}`);
  const object = { apiVersion: `${GROUP}/${VERSION}`, kind: scheduleKind.kind, metadata: { name: schedule.name }, spec: schedule.spec };
  return `${[...comments, ...refused].join("\n")}\n${kubeYaml(object)}`;
}

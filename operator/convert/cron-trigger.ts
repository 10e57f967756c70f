import { check, explain, mapOf, mapped, type Note, none, numberOf } from "./note.ts";

export interface ConvertedFloor {
  readonly cron: string;
  readonly timeZone: string;
  readonly durationMinutes: number;
  readonly minReplicas: number;
}

const DAY_MINUTES = 1_440;

/** A cron trigger is a scheduled floor: KEDA takes the highest of all triggers between `start` and `end`. Only times of day can differ between the two. */
export function readCronTrigger(
  trigger: Readonly<Record<string, unknown>>,
  at: string,
): { readonly floor: ConvertedFloor | undefined; readonly notes: readonly Note[] } {
  const metadata = mapOf(trigger["metadata"]);
  const [start, end] = [metadata["start"], metadata["end"]].map((text) => (typeof text === "string" ? text.trim() : ""));
  const replicas = numberOf(metadata["desiredReplicas"]);
  const timeZone = typeof metadata["timezone"] === "string" ? metadata["timezone"] : "UTC";
  const durationMinutes = minutesBetween(start ?? "", end ?? "");
  const floor =
    durationMinutes === undefined || replicas === undefined || start === undefined
      ? undefined
      : { cron: start, timeZone, durationMinutes, minReplicas: replicas };
  const outcome = () =>
    floor === undefined
      ? none(
          `from ${JSON.stringify(start)} to ${JSON.stringify(end)} is not one length of time of a day or less; write it as one or more spec.autoscaling.floors: cron, timeZone, durationMinutes, minReplicas`,
        )
      : mapped("spec.autoscaling.floors");
  const table = { timezone: outcome, start: outcome, end: outcome, desiredReplicas: outcome };
  const beside = {
    type: () => mapped(""),
    metadata: () => mapped(""),
    name: () => none("a floor needs no name"),
    metricType: () => mapped(""),
  };
  const active =
    floor === undefined
      ? []
      : [
          {
            field: at,
            ...check("outside its hours KEDA's cron trigger asks for 1 replica while it is the only active one; a floor asks for nothing"),
          },
        ];
  return { floor, notes: [...explain(at, trigger, beside), ...explain(`${at}.metadata`, metadata, table), ...active] };
}

/** Minutes from one time of day to the next, where both crons name a single time and the same days. */
function minutesBetween(start: string, end: string): number | undefined {
  const [from, to] = [start, end].map((cron) => cron.split(/\s+/));
  if (from?.length !== 5 || to?.length !== 5 || from.slice(2).join(" ") !== to.slice(2).join(" ")) return undefined;
  const [begin, finish] = [from, to].map(([minute = "", hour = ""]) =>
    /^\d+$/.test(minute) && /^\d+$/.test(hour) ? Number(hour) * 60 + Number(minute) : undefined,
  );
  if (begin === undefined || finish === undefined) return undefined;
  return ((finish - begin + DAY_MINUTES - 1) % DAY_MINUTES) + 1;
}

import { setTimeout as delay } from "node:timers/promises";
import type { Schedule } from "../../../operator/kinds/schedule/schema.ts";
import { scheduleKind } from "../../../operator/kinds/schedule/schema.ts";
import { resourceOf } from "../../../operator/runtime/define-kind.ts";
import { inParallel } from "../../../operator/runtime/in-parallel.ts";
import { cpuSeconds, residentMb } from "../operator-processes.ts";
import type { BenchStage } from "./stage.ts";

const IDLE_SECONDS = 40;

/** What an operator costs with one schedule, and with many of which none is due. Their times differ, and are months away. */
export async function costOf({ stage, main }: BenchStage, count: number): Promise<Readonly<Record<string, number>>> {
  const far = (index: number) => `${index % 60} ${index % 24} ${1 + (index % 28)} ${1 + ((new Date().getUTCMonth() + 5) % 12)} *`;
  const wait = async (wanted: number): Promise<void> => {
    for (;;) {
      const { items } = await stage.kube.list<Schedule>(
        resourceOf(scheduleKind),
        { namespace: "default" },
        { limit: 20_000 },
        AbortSignal.timeout(60_000),
      );
      if (
        items.filter(({ metadata: { name }, status }) => name.startsWith("far-") && status?.nextScheduleTime !== undefined).length >= wanted
      )
        return;
      await delay(2_000);
    }
  };
  const measure = async (name: string, schedules: number) => {
    const operator = stage.operator(name, main);
    await operator.said("publishing what is due");
    await wait(schedules);
    await delay(15_000);
    const before = cpuSeconds(operator.pid);
    await delay(IDLE_SECONDS * 1_000);
    const cpu = ((cpuSeconds(operator.pid) - before) / IDLE_SECONDS) * 100;
    const rss = residentMb(operator.pid);
    await operator.end("SIGTERM");
    return { rss, cpu };
  };
  await stage.create("far-0", { cron: far(0), timeZone: "Europe/Berlin" });
  const one = await measure("cost-one", 1);
  await inParallel(
    Array.from({ length: count - 1 }, (_, index) => index + 1),
    16,
    async (index) => {
      await stage.create(`far-${index}`, {
        cron: far(index),
        timeZone: "Europe/Berlin",
        kwargs: { tenant: `tenant-${index}`, kind: "full" },
      });
    },
  );
  // Once to make the status known, once as it is from then on.
  const filling = stage.operator("cost-fill", main);
  await wait(count);
  await filling.end("SIGTERM");
  const all = await measure("cost-all", count);
  return {
    [`rss_${count}_mb`]: all.rss - one.rss,
    rss_total_mb: all.rss,
    [`cpu_${count}_percent`]: all.cpu - one.cpu,
    cpu_one_percent: one.cpu,
  };
}

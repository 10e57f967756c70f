import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { nextDue } from "../../schedules/due.ts";
import { messageProblem } from "../../schedules/message.ts";
import { readTiming } from "../../schedules/timing.ts";
import { type Schedule, scheduleKind } from "./schema.ts";

const FOLDER = join(import.meta.dirname, "../../../manifests/examples/schedules");
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yaml"));

test("there are examples", () => expect(files.length).toBeGreaterThan(3));

test.for(files)("the example %s can be read, and is due some time", (file) => {
  for (const document of parseAllDocuments(readFileSync(join(FOLDER, file), "utf8"))) {
    const object = document.toJS() as Schedule;
    if (object.kind !== scheduleKind.kind) continue;
    const spec = scheduleKind.spec.parse(object.spec);
    const schedule = { ...object, spec, metadata: { ...object.metadata, creationTimestamp: "2026-01-01T00:00:00Z" } };
    expect(messageProblem(schedule)).toBeUndefined();
    const read = readTiming(schedule);
    expect(read).toHaveProperty("label");
    if ("timing" in read) expect(nextDue(read.timing, Date.UTC(2026, 0, 1))).toBeGreaterThan(0);
  }
});

import { beforeAll, describe, expect, test } from "vitest";
import { fileOf } from "../celery-suite/report.ts";
import type { Outcome } from "../celery-suite/shard.ts";
import { runSuite } from "../celery-suite/suite.ts";

/** Of 352 tests: what is left when those that docs/celery-suite.md lists are not run. */
const LEAST = 290;

describe("the integration suite that Celery ships, against this worker", () => {
  let outcomes: readonly Outcome[] = [];
  beforeAll(async () => {
    ({ outcomes } = await runSuite({ shards: 6, slow: false }));
  }, 1_200_000);

  test.for(["canvas", "tasks", "inspect", "redis_backend", "worker", "group_chains"])("test_%s.py", (name) => {
    const own = outcomes.filter(({ id }) => fileOf(id) === `test_${name}.py`);
    expect(own.filter(({ outcome }) => outcome === "passed").length).toBeGreaterThan(0);
    expect(own.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  });

  test("as many pass as ever", () => {
    expect(outcomes.filter(({ outcome }) => outcome === "passed").length).toBeGreaterThanOrEqual(LEAST);
  });
});

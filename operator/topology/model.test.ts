import { expect, test } from "vitest";
import { checkTopologyModel } from "../../test/fakes/topology-model.ts";

test("whatever happens, at rest the broker is what the objects want, and Ready says the truth", { timeout: 600_000 }, async () => {
  expect(await checkTopologyModel(1_000)).toEqual({ sequences: 1_000 });
});

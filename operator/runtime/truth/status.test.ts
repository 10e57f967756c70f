import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/fakes/clock.ts";
import { createFakeKube } from "../../../test/fakes/kube.ts";
import type { Resource } from "../../adapters/ports.ts";
import { createStatusWriter, type WithStatus } from "./status.ts";

const STORES: Resource = { group: "longshore.dev", version: "v1alpha1", plural: "stores", kind: "Store" };
const ready = [{ status: "True", reason: "Ready", message: "" }] as const;

function setup() {
  const [kube, clock] = [createFakeKube(), createFakeClock()];
  const store = kube.seed<WithStatus>(STORES, {
    apiVersion: "longshore.dev/v1alpha1",
    kind: "Store",
    metadata: { name: "redis", namespace: "shop" },
  });
  const read = async () => (await kube.get<WithStatus>(STORES, "shop", "redis")) ?? store;
  const writes = () => kube.calls.filter(({ verb }) => verb === "apply").length;
  return { kube, clock, store, read, writes, writer: createStatusWriter({ kube, clock }) };
}

test("the first write says everything, with the generation that it speaks of", async () => {
  const { writer, store, read } = setup();
  expect(await writer.write(STORES, store, { conditions: ready, fields: { version: "7.0", endpoint: undefined } })).toBe(true);
  expect((await read()).status).toEqual({
    version: "7.0",
    observedGeneration: 1,
    conditions: [
      { type: "Ready", status: "True", reason: "Ready", message: "", observedGeneration: 1, lastTransitionTime: "2026-01-01T00:00:00Z" },
    ],
  });
});

test("the same again never reaches the API, even much later", async () => {
  const { writer, store, read, writes, clock } = setup();
  await writer.write(STORES, store, { conditions: ready, fields: { version: "7.0" } });
  await clock.advance(3_600_000);
  expect(await writer.write(STORES, await read(), { conditions: ready, fields: { version: "7.0" } })).toBe(false);
  expect(writes()).toBe(1);
});

test("a field that is not said any more is taken away", async () => {
  const { writer, store, read } = setup();
  await writer.write(STORES, store, { conditions: ready, fields: { version: "7.0" } });
  await writer.write(STORES, await read(), { conditions: [{ status: "False", reason: "StoreUnreachable", message: "x" }] });
  expect((await read()).status).not.toHaveProperty("version");
});

test("an object that is gone is a success; one made anew under its name is left alone", async () => {
  const { kube, writer, store } = setup();
  kube.vanish(STORES, "shop", "redis");
  expect(await writer.write(STORES, store, { conditions: ready })).toBe(false);
  kube.seed(STORES, { ...store, metadata: { ...store.metadata, uid: "another" } });
  await expect(writer.write(STORES, store, { conditions: ready })).rejects.toMatchObject({ status: 409 });
});

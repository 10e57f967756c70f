import { createStores, type Stores } from "../kinds/store/reconcile.ts";
import { storeKind } from "../kinds/store/schema.ts";
import { resourceOf } from "../runtime/define-kind.ts";
import { type Controller, createController } from "../runtime/queue/controller.ts";
import { relateSecrets } from "../runtime/secret-relation.ts";
import { createTransitions } from "../runtime/truth/transitions.ts";
import type { Context } from "./context.ts";

const STORES = resourceOf(storeKind);

/** The controller of Stores, and where each of them leads. */
export function createStoreController(context: Context): { readonly controller: Controller; readonly endpointOf: Stores["endpointOf"] } {
  const { caches, connect, secrets, status, events, metrics } = context;
  const stores = createStores({ secrets, connect: connect.store });
  const transitions = createTransitions(events, "Probe");
  const controller = createController({
    ...context,
    name: "store",
    cache: caches.stores,
    related: [relateSecrets(caches.stores, secrets, ({ spec }) => [spec.uriFrom.secretKeyRef.name])],
    reconcile: (key, store) => stores.reconcile(key, store),
    async report(key, store, { condition }) {
      if (condition === undefined) return;
      transitions.say(store, condition);
      await status.write(STORES, store, { conditions: [condition], fields: stores.fieldsOf(key) });
    },
    onReconciled: metrics.reconciled,
  });
  return { controller, endpointOf: (namespace, name) => stores.endpointOf(namespace, name) };
}

import { appendFile } from "node:fs/promises";
import { defineTask, z } from "longshore";

/** Charges one order. The ledger stands for a payment service: one line per charge. */
export const processOrder = defineTask({
  name: "shop.process_order",
  kwargs: z.object({ order_id: z.string(), amount: z.number().positive() }),
  idempotencyKey: ({ order_id }) => `order:${order_id}`,
  retryBackoff: true,
  async run({ order_id, amount }, { effect, fence }) {
    // From here on it may have happened: a crash is answered with EffectUnknown, and nothing is charged twice.
    await effect();
    await appendFile(process.env["ORDERS_LEDGER"] ?? "/tmp/ledger", `${order_id} ${amount} ${fence}\n`);
    return { order_id, charged: amount };
  },
});

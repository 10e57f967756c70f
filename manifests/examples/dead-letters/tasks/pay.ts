import { defineTask, Reject, Retry, z } from "longshore";

/** Pays an invoice. A negative amount is refused at once, a busy bank is asked again, and what fails three times is a dead letter. */
export const pay = defineTask({
  name: "payments.pay",
  kwargs: z.object({ invoice: z.string(), amount: z.number() }),
  idempotencyKey: ({ invoice }) => invoice,
  maxRetries: 3,
  retryBackoff: 1,
  run({ invoice, amount }) {
    if (amount < 0) throw new Reject(`invoice ${invoice}: the amount is negative`);
    if (amount > 1_000_000) throw new Retry("the bank is busy");
    return invoice;
  },
});

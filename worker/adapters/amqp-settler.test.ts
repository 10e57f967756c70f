import type { ConsumeMessage } from "amqplib";
import { expect, test } from "vitest";
import { openSettler } from "./amqp-settler.ts";

const message = (deliveryTag: number): ConsumeMessage => ({ fields: { deliveryTag } }) as unknown as ConsumeMessage;

/** What goes out when `acks` and `rejects` of the messages 1 to 6 are settled in one moment. */
async function frames(acks: readonly number[], rejects: readonly number[] = []): Promise<readonly string[]> {
  const sent: string[] = [];
  const settler = openSettler({
    ack: ({ fields }, upTo) => void sent.push(`ack ${fields.deliveryTag}${upTo === true ? " and all before" : ""}`),
    reject: ({ fields }) => void sent.push(`reject ${fields.deliveryTag}`),
  });
  for (const tag of [1, 2, 3, 4, 5, 6]) settler.taken(message(tag));
  for (const tag of rejects) settler.settle(message(tag), "reject");
  for (const tag of acks) settler.settle(message(tag), "ack");
  await Promise.resolve();
  expect(settler.unsettled).toBe(6 - acks.length - rejects.length);
  return sent;
}

const cases: readonly [why: string, acks: readonly number[], rejects: readonly number[], want: readonly string[]][] = [
  ["all of them are one frame", [3, 1, 2, 6, 5, 4], [], ["ack 6 and all before"]],
  ["one is one frame", [1], [], ["ack 1"]],
  ["what comes after one that still runs is settled alone", [1, 2, 4, 6], [], ["ack 2 and all before", "ack 4", "ack 6"]],
  ["nothing together while the first one runs", [2, 3], [], ["ack 2", "ack 3"]],
  ["a rejected one does not stand in the way", [1, 3], [2], ["reject 2", "ack 3 and all before"]],
];
test.for(cases)("%s", async ([, acks, rejects, want]) => expect(await frames(acks, rejects)).toEqual(want));

test("a channel that is closing throws at nobody", async () => {
  const closing = (): never => {
    throw new Error("Channel closing");
  };
  const settler = openSettler({ ack: closing, reject: closing });
  settler.taken(message(1));
  settler.taken(message(2));
  settler.settle(message(1), "ack");
  settler.settle(message(2), "requeue");
  await Promise.resolve();
  expect(settler.unsettled).toBe(0);
});

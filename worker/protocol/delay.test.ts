import { expect, test } from "vitest";
import { DELAY_LEVELS, delayBindings, delayedRoute, delayTopology, MAX_DELAY_SECONDS } from "./delay.ts";

/** Follows a message through the topology as RabbitMQ would; returns the seconds it waits and the key it arrives with. */
function travel(seconds: number, key: string): { waited: number; key: string } {
  const { bindings, queues } = delayTopology();
  const fits = (pattern: string, routingKey: string): boolean =>
    new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^.]+").replace("\\.#", "(\\..*)?")}$`).test(routingKey);
  let { exchange, routingKey } = delayedRoute(seconds, key);
  let waited = 0;
  while (exchange !== "celery_delayed_delivery") {
    const [binding, ...more] = bindings.filter((each) => each.source === exchange && fits(each.routingKey, routingKey));
    if (binding === undefined || more.length > 0) throw new Error(`${more.length + 1} ways at ${exchange}`);
    const queue = queues.find(({ name }) => name === binding.destination);
    if (binding.toExchange || queue === undefined) exchange = binding.destination;
    else {
      waited += Number(queue.arguments["x-message-ttl"]) / 1_000;
      exchange = String(queue.arguments["x-dead-letter-exchange"]);
    }
  }
  return { waited, key: routingKey };
}

test.for([1, 2, 3, 60, 3_599, 86_400 * 365, MAX_DELAY_SECONDS])("a message with a delay of %i s waits exactly so long", (seconds) => {
  const { waited, key } = travel(seconds, "media.video");
  expect(waited).toBe(seconds);
  expect(key.endsWith(".media.video")).toBe(true);
});

test("the key is kombu's, and does not grow when it is delayed again", () => {
  const once = delayedRoute(5, "video");
  expect(once).toEqual({ exchange: "celery_delayed_27", routingKey: `${"0.".repeat(25)}1.0.1.video` });
  expect(delayedRoute(5, once.routingKey)).toEqual(once);
});

test.for([0, -1, 0.5, Number.NaN, MAX_DELAY_SECONDS + 1])("refuses a delay of %f s", (seconds) => {
  expect(() => delayedRoute(seconds, "q")).toThrow("a delay is 1 to");
});

test("every level is declared, and the task queue hears the delivery exchange", () => {
  expect(() => delayedRoute(1, "")).toThrow("routing key");
  const { exchanges, queues } = delayTopology("classic");
  expect([exchanges.length, queues.length]).toEqual([DELAY_LEVELS + 1, DELAY_LEVELS]);
  expect(queues.at(-1)?.arguments).toEqual({
    "x-queue-type": "classic",
    "x-overflow": "reject-publish",
    "x-message-ttl": 1_000,
    "x-dead-letter-exchange": "celery_delayed_delivery",
  });
  expect(delayBindings("q", "media", "video")).toEqual([
    { source: "celery_delayed_delivery", destination: "media", toExchange: true, routingKey: "#.video" },
    { source: "media", destination: "q", toExchange: false, routingKey: "#.video" },
  ]);
});

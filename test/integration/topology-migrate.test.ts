import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import amqp from "amqplib";
import { expect, test } from "vitest";
import { broker } from "../cluster/cluster.ts";
import { makeVhost } from "./topology-objects.ts";

const BEFORE = 300;
const bindings = [{ exchange: "amq.topic", routingKey: "order.*" }];
const specOf = (type: string, maxLength: number) => ({ type, name: "orders", bindings, maxLength, updatePolicy: "Migrate" });

/** Runs the operator's topology until it says that line, then kills it at once. Resolves with the line that it was killed after. */
async function runUntil(line: (said: string) => boolean, ...args: readonly string[]): Promise<string> {
  const file = join(import.meta.dirname, "migrate-child.ts");
  const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let found: string | undefined;
  for await (const said of createInterface({ input: child.stdout })) {
    if (found !== undefined || !line(said)) continue;
    found = said;
    child.kill("SIGKILL");
  }
  await closed;
  if (found === undefined) throw new Error("the operator ended by itself");
  return found;
}

test.for(["classic", "quorum"])(
  "a %s queue changes an argument, and the operator is killed after each step: no message is lost, old, new or foreign",
  { timeout: 600_000 },
  async (type) => {
    const server = await broker("4.0");
    const vhost = await makeVhost(server, `migrate ${type} ${process.pid}`);
    const model = await amqp.connect(vhost.uri);
    const channel = await model.createConfirmChannel();
    const sent: string[] = [];
    const publish = async (key: string): Promise<void> => {
      sent.push(`${sent.length}`);
      const options = { persistent: true, messageId: `${sent.length - 1}`, headers: { key }, priority: 3 };
      channel.publish("amq.topic", key, Buffer.from(`body ${sent.length - 1}`), options);
      await channel.waitForConfirms();
    };
    try {
      await runUntil((said) => said === "ready", vhost.uri, server.managementUri, JSON.stringify(specOf(type, 5_000)));
      await channel.bindQueue("orders", "amq.topic", "foreign");
      for (let n = 0; n < BEFORE; n++) await publish(n % 2 === 0 ? "order.made" : "foreign");
      const steps: string[] = [];
      while (steps.at(-1) !== "ready") {
        const said = await runUntil(() => true, vhost.uri, server.managementUri, JSON.stringify(specOf(type, 6_000)));
        steps.push(said);
        await publish("order.late");
        await publish("foreign");
        expect(steps.length).toBeLessThan(40);
      }
      expect(steps).toContain("move");
      const { messageCount } = await channel.checkQueue("orders");
      expect(messageCount).toBeGreaterThanOrEqual(sent.length);
      const got = new Set<string>();
      for (let message = await channel.get("orders"); message !== false; message = await channel.get("orders")) {
        const { messageId, priority } = message.properties as { messageId: string; priority: number };
        expect([message.content.toString(), priority]).toEqual([`body ${messageId}`, 3]);
        got.add(messageId);
      }
      expect(sent.filter((id) => !got.has(id))).toEqual([]);
      const list = await server.ctl("list_queues", "-p", `migrate ${type} ${process.pid}`, "name", "arguments", "--quiet");
      expect(list).toContain("6000");
      expect(list).not.toContain("migrating");
    } finally {
      await model.close();
      await vhost.drop();
    }
  },
);

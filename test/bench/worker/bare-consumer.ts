import { connect } from "amqplib";

/** The program that sets the ceiling: consumes a queue and acknowledges each message, and does nothing else. Arguments: URL, queue, prefetch. */
const [url = "", queue = "", prefetch = "1"] = process.argv.slice(2);
const channel = await (await connect(url)).createChannel();
await channel.prefetch(Number(prefetch));
await channel.consume(queue, (message) => {
  if (message !== null) channel.ack(message);
});

import type { Declared } from "../ports.ts";
import type { BrokerConnection } from "./connection.ts";
import { amqpError } from "./errors.ts";

type Binding = Declared & { readonly type: "binding" };

/**
 * Whether the management API cannot name this binding: its key there is the routing key, and a `.` or `..` in a path is a step in it, however it is escaped
 * (cowboy_router, remove_dot_segments).
 */
export const isUnnameable = ({ routingKey, arguments: given }: Binding): boolean =>
  (routingKey === "." || routingKey === "..") && Object.keys(given).length === 0;

/** Removes a binding without arguments by AMQP. One that is not there is a success. Throws `BrokerError`. */
export async function unbind(connection: BrokerConnection, { source, destinationType, destination, routingKey }: Binding): Promise<void> {
  const doing = `unbind ${destination} from ${source}`;
  const channel = await (await connection.model()).createChannel().catch((error: unknown) => {
    throw amqpError(error, doing);
  });
  channel.on("error", () => undefined); // The same error rejects the call below.
  try {
    await (destinationType === "queue"
      ? channel.unbindQueue(destination, source, routingKey)
      : channel.unbindExchange(destination, source, routingKey));
    await channel.close();
  } catch (error) {
    const failure = amqpError(error, doing);
    if (failure.failure !== "missing") throw failure;
  }
}

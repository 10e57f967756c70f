import type { MessageProperties } from "../ports.ts";

/**
 * A message that belongs to a trace. Without headers to add it is the same message; `unless there` leaves alone one that says already where it
 * belongs, as a retry does. Pure.
 */
export function withTrace<T extends { readonly properties: MessageProperties }>(
  message: T,
  trace: Readonly<Record<string, string>>,
  when: "always" | "unless there" = "always",
): T {
  const { headers } = message.properties;
  const same = Object.keys(trace).every((name) => headers[name] === trace[name]);
  if (same || (when === "unless there" && headers["traceparent"] !== undefined)) return message;
  return { ...message, properties: { ...message.properties, headers: { ...headers, ...trace } } };
}

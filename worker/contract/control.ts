/**
 * The part of Celery's remote control (pidbox) that draining uses. Both the Longshore worker and a Python Celery worker speak it:
 * a fanout exchange to ask, a direct one to answer. Source: kombu/pidbox.py, celery/worker/control.py.
 */
export const PIDBOX_EXCHANGE = "celery.pidbox";
export const PIDBOX_REPLY_EXCHANGE = "reply.celery.pidbox";

/** Methods that the operator calls. */
export type ControlMethod = "cancel_consumer" | "add_consumer" | "active" | "reserved" | "ping";

export interface ControlRequest {
  readonly method: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Node names (`celery@pod`); null asks everyone. */
  readonly destination: readonly string[] | null;
  readonly pattern?: string | null;
  readonly matcher?: string | null;
  readonly ticket?: string;
  readonly reply_to?: { readonly exchange: string; readonly routing_key: string };
}

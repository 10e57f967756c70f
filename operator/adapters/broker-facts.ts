import type { Arguments } from "./broker-object.ts";

/** What a broker says of itself. */
export interface BrokerFacts {
  readonly version: string;
  /** Plugins and features that decide how we work: `event_exchange`, `definitions_etag`, `prometheus`… */
  readonly capabilities: readonly string[];
  readonly alarms: readonly string[];
  /** Of the broker's cluster; empty where the user may not know. */
  readonly nodes: readonly { readonly name: string; readonly running: boolean }[];
  /** Deprecated features that are in use. */
  readonly deprecated: readonly string[];
  /** The same text means the same cluster, whatever it is called; absent where the broker does not tell this user. */
  readonly cluster?: string;
}

/** What the broker counts of a queue; what it does not say is absent. Messages and consumers may be 5 s old. */
export interface QueueFigures {
  readonly ready?: number;
  readonly unacked?: number;
  readonly consumers?: number;
  readonly state?: string;
  /** Names of the policies that apply to it, and what both together set. */
  readonly policy?: string;
  readonly operatorPolicy?: string;
  readonly definition?: Arguments;
}

/** Every socket of the operator, as the rest of it sees them. Only `main.ts` and `test/` import what implements these. */
import type { KubeObject } from "../runtime/object.ts";
import type { BrokerFacts, QueueFigures } from "./broker-facts.ts";
import type { BrokerObject, Part, Target } from "./broker-object.ts";

export type { BrokerFacts, QueueFigures } from "./broker-facts.ts";

export {
  type Arguments,
  type ArgumentValue,
  type BrokerObject,
  type Declared,
  type Destination,
  isSetting,
  type Part,
  partOf,
  SETTING_TYPES,
  type Setting,
  type SettingType,
  type Target,
} from "./broker-object.ts";

// --- Kubernetes ---------------------------------------------------------------------------------------------------

/** A resource of the API, by group, version and plural: `{group: "apps", version: "v1", plural: "deployments"}`; the core group is "". */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
}

export interface Selection {
  /** One namespace; default all. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/**
 * The Kubernetes API. Every failure is a `KubeError` with the HTTP status and the server's reason; a deadline or lost connection has status 0.
 * 429 and 5xx carry `retryAfterMs` where the server gave it.
 */
export interface KubePort {
  list<T extends KubeObject>(
    resource: Resource,
    selection: Selection,
    page: { limit: number; continue?: string },
    signal: AbortSignal,
  ): Promise<Page<T>>;
  /**
   * Ends normally when the server closes the watch; throws `KubeError` 410 when the version is too old. Asks for bookmarks.
   * The first event is a bookmark with the version asked for: the server has accepted the watch.
   */
  watch<T extends KubeObject>(
    resource: Resource,
    selection: Selection,
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /** undefined when there is none. */
  get<T extends KubeObject>(resource: Resource, namespace: string | undefined, name: string): Promise<T | undefined>;
  create<T extends KubeObject>(resource: Resource, object: T): Promise<T>;
  /** Server-side apply with our one field manager, forced. A `metadata.resourceVersion` in the object makes it conditional (409). */
  apply<T extends KubeObject>(resource: Resource, object: KubeObject, subresource?: "status"): Promise<T>;
  /** JSON merge patch; for the few places where apply does not fit: `scale`, finalizers, single annotations. */
  patch<T extends KubeObject>(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    patch: object,
    subresource?: "scale" | "status",
  ): Promise<T>;
  /** Deleting what is not there is a success. */
  delete(
    resource: Resource,
    namespace: string | undefined,
    name: string,
    options?: { uid?: string; propagation?: "Foreground" | "Background" },
  ): Promise<void>;
}

// --- Broker: where it is, what can go wrong -----------------------------------------------------------------------

/** One vhost of one broker, and the login to it. Never log it and never put it into a message: `display` is the part that may be shown. */
export interface BrokerEndpoint {
  readonly host: string;
  readonly port: number;
  readonly vhost: string;
  readonly tls: boolean;
  /** For TLS, in PEM: whom to trust beside nobody else, and who we are. Absent: the system's authorities, and no certificate. */
  readonly trust?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly username: string;
  readonly password: string;
  /** `url`: `http(s)://host:port` and the path prefix where there is one; no login, no slash at the end. */
  readonly management: { readonly url: string; readonly username: string; readonly password: string };
  /** Where RabbitMQ's Prometheus plugin answers, without `/metrics`: read where the management API cannot be. */
  readonly prometheusUrl?: string;
  /** `host:port/vhost`. The same text means the same vhost of the same broker. */
  readonly display: string;
}

/**
 * What went wrong at the broker; adapters convert their library's errors to this once, at the edge.
 * unreachable: no connection, or it broke. unavailable: it answered that it cannot just now. login: user or password refused.
 * vhost: it does not exist, or the user may not enter it. forbidden: the user lacks a permission. missing: what is named is not there.
 * differs: it exists with other properties. not-empty: messages or consumers are there. invalid: the broker refuses the request as such.
 */
export type BrokerFailure =
  | "unreachable"
  | "unavailable"
  | "login"
  | "vhost"
  | "forbidden"
  | "missing"
  | "differs"
  | "not-empty"
  | "invalid";

/** Thrown by every broker port. Its message and causes never contain a password. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly failure: BrokerFailure;
  /** Which door it came from. */
  readonly via: "amqp" | "management";

  constructor(failure: BrokerFailure, via: "amqp" | "management", message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
    this.via = via;
  }

  /** Whether the same call may succeed later although nobody changes anything. */
  get passing(): boolean {
    return this.failure === "unreachable" || this.failure === "unavailable";
  }
}

// --- Broker: topology ---------------------------------------------------------------------------------------------

/** What one vhost has now, and what its broker has beside vhosts; ours and foreign ones alike. */
export interface Snapshot {
  readonly objects: readonly BrokerObject[];
  /** Parts that are as they were when they were observed last; of them there are no objects here. */
  readonly unchanged?: readonly Part[];
  /** Whether the broker says by a version that nothing changed since. */
  readonly versioned?: boolean;
}

/** `made`: the target, or a binding that leads into it, was created; nothing went. */
export type OnChange = (change?: Target | Part, how?: "made") => void;

/** Topology of one vhost on one broker. Failures are `BrokerError`. Operations are idempotent. */
export interface TopologyPort extends AsyncDisposable {
  /** Goes through both doors, AMQP and management: a broker that only one of them can reach is an error. */
  probe(): Promise<BrokerFacts>;
  observe(parts: readonly Part[]): Promise<Snapshot>;
  /** The target, when it is there, and all bindings that lead into it; live, never from statistics. */
  read(target: Target): Promise<readonly BrokerObject[]>;
  declare(object: BrokerObject): Promise<void>;
  /**
   * `ifEmpty` refuses with `not-empty` when messages or consumers are there, of a vhost queues, of an exchange bindings that lead out of it; `ifDrained` when messages are there.
   * Deleting what is not there is a success.
   */
  remove(object: BrokerObject, options?: { ifEmpty?: boolean; ifDrained?: boolean }): Promise<void>;
  /** Ready and unacked messages of a queue; of a quorum queue unacked ones may be 5 s old. 0 where there is no queue. */
  messages(queue: string): Promise<number>;
  /** Of all queues of the vhost by name, in one request. Without `consumers` it costs the broker less. */
  figures(options: { readonly consumers: boolean }): Promise<ReadonlyMap<string, QueueFigures>>;
  /** Moves ready messages, at most so many, and none is lost; when this ends early some may be in both. Resolves with how many. */
  move(from: string, to: string, limit: number): Promise<number>;
  /** Declares many in one request; conflicts are NOT reported by the broker, so observe afterwards. */
  bulk(objects: readonly BrokerObject[]): Promise<void>;
  /**
   * Calls back when anyone creates, changes or deletes something: with its target, or with the part that it belongs to; without either when
   * anything may have changed, as after a lost connection. Resolves when subscribed; "unsupported" where the broker cannot, or does not let
   * this user.
   */
  changes(onChange: OnChange): Promise<AsyncDisposable | "unsupported">;
}

// --- Broker: sensing and control ----------------------------------------------------------------------------------

/**
 * Live, from a passive declare. `missing`: no such queue. `refused`: the broker does not let us look, and says why.
 * Quorum queues answer 0 when their leader is silent: see architecture, Sensing.
 */
export type ReadyCount = { readonly ready: number; readonly consumers: number } | { readonly missing: true } | { readonly refused: string };

/** From the broker's bulk endpoint; up to 5 s old when it arrives. */
export interface QueueTotals {
  readonly ready: number;
  readonly unacked: number;
  readonly type: "classic" | "quorum" | "stream" | "other";
  /** Of a stream: how many messages its slowest consumer is behind; absent where the broker does not say. */
  readonly lag?: number;
}

export interface SensePort extends AsyncDisposable {
  /** Passive declares over a few channels of one shared connection. A missing queue costs a channel, never the connection. */
  readyCounts(queues: readonly string[]): Promise<ReadonlyMap<string, ReadyCount>>;
  /** The queues of the vhost that are counted, and the `names` of all, but exclusive ones, in one HTTP request; no `names` when not all are known. */
  totals(): Promise<{ readonly queues: ReadonlyMap<string, QueueTotals>; readonly names?: readonly string[] }>;
  /** Unacked messages by the address of the peer that holds them, over all queues; up to 5 s old. For images that say nothing of themselves. */
  unackedByPeer(): Promise<ReadonlyMap<string, number>>;
  /** Memory or disk alarms that hold publishers now. Throws `forbidden` where the user may not know. */
  alarms(): Promise<readonly string[]>;
}

export interface RemoteControlPort extends AsyncDisposable {
  /** Celery remote control by pidbox. Resolves with the replies of `destination` that came within the time; a silent node is simply absent. */
  ask(
    method: string,
    args: Readonly<Record<string, unknown>>,
    destination: readonly string[],
    timeoutMs: number,
  ): Promise<ReadonlyMap<string, unknown>>;
}

// --- Store --------------------------------------------------------------------------------------------------------

/** Where a Redis is, with the login: never show `uri`. `display` is `host:port/db`, of Sentinels their addresses. */
export interface StoreEndpoint {
  readonly uri: string;
  readonly display: string;
}

export interface StorePort extends AsyncDisposable {
  /** Throws `StoreError` when it cannot be reached or refuses us. Whether it may evict keys, `evictionPolicy` says; `clustered`: a node of a Redis Cluster. */
  probe(): Promise<{ readonly version: string; readonly evictionPolicy: string; readonly clustered: boolean }>;
  /** HGETALL of several hashes in one pipeline. */
  readHashes(keys: readonly string[]): Promise<readonly Readonly<Record<string, string>>[]>;
}

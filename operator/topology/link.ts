import { type BrokerEndpoint, BrokerError, type BrokerFacts, type TopologyPort } from "../adapters/ports.ts";
import { brokerEndpoint } from "../kinds/broker/endpoint.ts";
import type { Broker } from "../kinds/broker/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import { backoffMs } from "../runtime/queue/backoff.ts";
import type { SecretReader } from "../runtime/secrets.ts";
import { Waiting } from "../runtime/truth/outcome.ts";
import type { Reason } from "../runtime/truth/reasons.ts";
import type { EndpointProblem } from "./endpoints.ts";
import { createPicture, type Picture } from "./picture.ts";
import { reasonOfBroker } from "./say.ts";
import { trustOf } from "./trust.ts";

/** A reachable broker is probed this often, ms: for its alarms and plugins. That it is gone is noticed sooner, by its events and by looking. */
const PROBE_MS = 40_000;
/** Tries at a broker that is away: the cap keeps the promise to be back about 2 s after it is. */
const AWAY = { baseMs: 200, capMs: 2_000 };
/** Tries at one that refuses us: each is a line in its log. */
const REFUSED_MS = 5_000;
/** Tries where the vhost is missing: a Vhost object may be about to make it. */
const MISSING = { baseMs: 500, capMs: REFUSED_MS };
/** A broker that tells no changes is asked again this often, ms: somebody may have enabled the plugin. */
const SUBSCRIBE_MS = 120_000;

const NEVER = Number.NEGATIVE_INFINITY;

/** A broker that can be used now. */
export interface Session {
  readonly endpoint: BrokerEndpoint;
  readonly port: TopologyPort;
  readonly picture: Picture;
  readonly facts: BrokerFacts;
  /** Whether changes by others are told as they happen. */
  readonly events: boolean;
}

export interface Trouble {
  readonly reason: Reason;
  readonly message: string;
  readonly againInMs: number;
  /** Wall clock, ms: when it began. */
  readonly since: number;
  /** The broker answers, and says that it has no such vhost: what was in it is gone. */
  readonly vhostGone?: boolean;
  /** The Secret is gone, but what it said last still works. */
  readonly last?: Session;
}

export type LinkState = { readonly up: true; readonly session: Session } | ({ readonly up: false } & Trouble);

export interface Link extends AsyncDisposable {
  /** Reads the Secret when it changed, connects, probes when it is time. Never throws for what a user can cause; `KubeError` otherwise. */
  ensure(broker: Broker): Promise<LinkState>;
  /** An operation failed: the broker may be away. */
  lost(error: BrokerError): Trouble;
  /** There is no Broker object any more: forgets everything. */
  drop(): Promise<void>;
  /** The URIs, as last read. */
  readonly endpoint: BrokerEndpoint | undefined;
}

export interface LinkOptions {
  readonly secrets: SecretReader;
  readonly connect: (endpoint: BrokerEndpoint) => TopologyPort;
  readonly clock: Clock;
  readonly random: () => number;
  /** Something happened that `ensure` should look at. */
  readonly wake: () => void;
  /** Told whenever the Secret was read, or could not be. */
  readonly located: (to: BrokerEndpoint | EndpointProblem) => void;
  /** Told with each probe: which cluster answers there. */
  readonly recognised: (at: BrokerEndpoint, cluster: string) => void;
}

interface Connected extends Session {
  probedAt: number;
  subscribedAt: number;
  subscription?: AsyncDisposable | undefined;
}

export function createLink({ secrets, connect, clock, random, wake, located, recognised }: LinkOptions): Link {
  let watched = "";
  let watches: DisposableStack | undefined;
  let unread = true;
  let connected: Connected | undefined;
  let endpoint: BrokerEndpoint | undefined;
  let trouble: Trouble | undefined;
  let failures = 0;
  const ending = new Set<Promise<void>>();

  const troubled = (reason: Reason, message: string, againInMs: number, last?: Session): Trouble => {
    const since = trouble?.since ?? clock.now();
    trouble = { reason, message, againInMs, since, ...(last === undefined ? {} : { last }) };
    return trouble;
  };
  const lost = (error: BrokerError): Trouble => {
    if (connected !== undefined) {
      connected.picture.doubt();
      // A new subscription is made with the next probe that works: the old one may take longer to come back than the broker.
      unsubscribe(connected);
      connected = { ...connected, probedAt: NEVER, subscribedAt: NEVER, events: false, subscription: undefined };
    }
    // Another login or address may be what helps: while it does not work, the Secret is read for every try.
    unread = true;
    const cap = error.passing ? AWAY : error.failure === "vhost" ? MISSING : undefined;
    const again = cap === undefined ? REFUSED_MS : backoffMs(cap, failures++, random());
    const vhostGone = error.failure === "vhost" && error.via === "management";
    return { ...troubled(reasonOfBroker(error), error.message, again), vhostGone };
  };
  const unsubscribe = ({ subscription }: Connected): void => {
    if (subscription === undefined) return;
    const ended: Promise<void> = Promise.resolve(subscription[Symbol.asyncDispose]()).finally(() => ending.delete(ended));
    ending.add(ended);
  };
  const disconnect = async (): Promise<void> => {
    const old = connected;
    connected = undefined;
    if (old !== undefined) unsubscribe(old);
    await Promise.all([...ending, old?.port[Symbol.asyncDispose]()]);
  };

  /** Follows the Secrets that the spec names now. */
  const watch = ({ metadata: { namespace = "" }, spec }: Broker): void => {
    const keys = [spec.uriFrom, spec.managementFrom, spec.tls?.caFrom].flatMap((from) => (from === undefined ? [] : [from.secretKeyRef]));
    const names = [...keys, ...(spec.tls?.clientCertificateFrom === undefined ? [] : [spec.tls.clientCertificateFrom])];
    const text = JSON.stringify([names, spec.prometheusUrl, spec.vhost]);
    if (text === watched) return;
    watched = text;
    unread = true;
    watches?.dispose();
    const stack = new DisposableStack();
    const changed = (): void => {
      unread = true;
      wake();
    };
    for (const name of new Set(names.map(({ name }) => name))) stack.use(secrets.watch(namespace, name, changed));
    watches = stack;
  };
  const read = async ({ metadata: { namespace = "" }, spec }: Broker): Promise<BrokerEndpoint> => {
    const { uriFrom, managementFrom, prometheusUrl, vhost } = spec;
    const value = (from: NonNullable<typeof managementFrom>) => secrets.read(namespace, from.secretKeyRef.name, from.secretKeyRef.key);
    const uri = await value(uriFrom);
    const parsed = brokerEndpoint(uri, managementFrom === undefined ? undefined : await value(managementFrom), prometheusUrl, vhost);
    if ("host" in parsed) return { ...parsed, ...(spec.tls === undefined ? {} : { trust: await trustOf(secrets, namespace, spec.tls) }) };
    const { name, key } = (parsed.field === "managementFrom" ? managementFrom : undefined)?.secretKeyRef ?? uriFrom.secretKeyRef;
    throw new Waiting("SecretInvalid", `${parsed.field}: key ${key} of Secret ${namespace}/${name}: ${parsed.message}`);
  };

  const open = (to: BrokerEndpoint): Connected => {
    const port = connect(to);
    const facts = { version: "", capabilities: [], alarms: [], nodes: [], deprecated: [] };
    return { endpoint: to, port, picture: createPicture(port), facts, events: false, probedAt: NEVER, subscribedAt: NEVER };
  };
  const probe = async (one: Connected): Promise<Connected> => {
    const probed: Connected = { ...one, facts: await one.port.probe(), probedAt: clock.elapsed() };
    if (probed.facts.cluster !== undefined) recognised(one.endpoint, probed.facts.cluster);
    if (one.subscription !== undefined || clock.elapsed() - one.subscribedAt < SUBSCRIBE_MS) return probed;
    const { picture } = one;
    const subscription = await one.port.changes((change, how) => {
      if (how === "made" && typeof change === "object") picture.appeared(change);
      else picture.doubt(change);
      if (picture.doubtful) wake();
    });
    const events = subscription !== "unsupported";
    return { ...probed, events, subscribedAt: clock.elapsed(), subscription: events ? subscription : undefined };
  };

  return {
    get endpoint() {
      return endpoint;
    },
    lost,
    async drop() {
      watches?.dispose();
      watched = "";
      endpoint = undefined;
      trouble = undefined;
      await disconnect();
    },
    async ensure(broker) {
      watch(broker);
      if (unread) {
        try {
          unread = false;
          const fresh = await read(broker);
          if (JSON.stringify(fresh) !== JSON.stringify(connected?.endpoint)) {
            await disconnect();
            failures = 0;
          }
          endpoint = fresh;
          located(fresh);
        } catch (error) {
          unread = true;
          if (!(error instanceof Waiting)) throw error;
          endpoint = undefined;
          located({ reason: error.reason, message: error.message });
          const works = connected !== undefined && connected.probedAt > NEVER;
          return { up: false, ...troubled(error.reason, error.message, error.retryAfterMs, works ? connected : undefined) };
        }
      }
      if (endpoint === undefined) throw new TypeError("read without an endpoint");
      connected ??= open(endpoint);
      try {
        if (clock.elapsed() - connected.probedAt >= PROBE_MS) connected = await probe(connected);
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        return { up: false, ...lost(error) };
      }
      failures = 0;
      trouble = undefined;
      return { up: true, session: connected };
    },
    async [Symbol.asyncDispose]() {
      watches?.dispose();
      await disconnect();
    },
  };
}

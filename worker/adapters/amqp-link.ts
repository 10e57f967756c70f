import { type ChannelModel, connect } from "amqplib";
import { BrokerError } from "../ports.ts";
import { brokerError } from "./amqp-errors.ts";

/** First wait before a reconnect, its growth's cap, both ms. The cap keeps the promise «consuming again within 2 s of the broker's return». */
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Seconds. Two missed beats end the connection; a task that blocks the event loop for longer than twice this loses it. */
const HEARTBEAT_S = 30;

export interface LinkOptions {
  readonly url: string;
  /** Shown by the broker's management pages. */
  readonly connectionName: string;
  readonly random: () => number;
  /** Told once per change, never per attempt; `error` is free of passwords. */
  readonly onChange: (change: { up: boolean; error?: BrokerError }) => void;
}

/** One connection that comes back by itself. */
export interface Link extends AsyncDisposable {
  readonly up: boolean;
  /** Runs `setup` on the connection that is up, and on every later one. It must not throw. */
  onUp(setup: (model: ChannelModel) => void): void;
}

/** `pyamqp` is kombu's name for the same protocol. Throws `BrokerError("invalid")` that shows no part of a password. */
function parseBrokerUrl(text: string): string {
  const url = URL.parse(text.replace(/^pyamqp(s?):/, "amqp$1:"));
  if (url === null || !/^amqps?:$/.test(url.protocol) || url.hostname === "") {
    throw new BrokerError("invalid", "CELERY_BROKER_URL: expected amqp(s)://user:password@host:port/vhost");
  }
  return url.href;
}

/**
 * Opens a connection and keeps it open, with jittered exponential backoff. TLS (`amqps`) is verified against the system's
 * authorities and NODE_EXTRA_CA_CERTS. Never gives up until it is disposed; never throws after the URL was accepted.
 */
export function openLink(options: LinkOptions): Link {
  const url = parseBrokerUrl(options.url);
  const setups: ((model: ChannelModel) => void)[] = [];
  let model: ChannelModel | undefined;
  let timer: NodeJS.Timeout | undefined;
  let attempt = 0;
  let told = false;
  let closed = false;

  const lost = (error: BrokerError): void => {
    model = undefined;
    if (closed) return;
    if (!told) options.onChange({ up: false, error });
    told = true;
    const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt) * (0.5 + options.random() / 2);
    attempt += 1;
    timer = setTimeout(() => void dial(), delay);
  };

  const dial = async (): Promise<void> => {
    try {
      const clientProperties = { connection_name: options.connectionName };
      const full = new URL(url);
      if (!full.searchParams.has("heartbeat")) full.searchParams.set("heartbeat", String(HEARTBEAT_S));
      const fresh = await connect(full.href, { noDelay: true, keepAlive: true, timeout: CONNECT_TIMEOUT_MS, clientProperties });
      if (closed) return await fresh.close();
      let reason: unknown = new Error("the connection was closed");
      fresh.on("error", (error) => (reason = error));
      fresh.on("close", () => lost(brokerError(reason, "connection to the broker lost")));
      model = fresh;
      attempt = 0;
      told = false;
      options.onChange({ up: true });
      for (const setup of setups) setup(fresh);
    } catch (error) {
      lost(brokerError(error, "cannot connect to the broker"));
    }
  };
  void dial();

  return {
    get up() {
      return model !== undefined;
    },
    onUp(setup) {
      setups.push(setup);
      if (model !== undefined) setup(model);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      // A connection that fails while it is being closed is closed all the same.
      await model?.close().catch(() => {});
    },
  };
}

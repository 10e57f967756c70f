import { type ChannelModel, connect } from "amqplib";
import { type BrokerEndpoint, BrokerError } from "../ports.ts";
import { amqpError } from "./errors.ts";

/** First wait before a reconnect and the longest, ms: back within about 2 s of the broker's return. */
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
const HEARTBEAT_S = 15;

export interface ConnectionOptions {
  /** Shown on the broker's management pages: `longshore-operator topology`. */
  readonly name: string;
  /** In [0, 1). */
  readonly random: () => number;
  /** Default: the endpoint's. */
  readonly vhost?: string;
  /** Told on every change, never per attempt. */
  readonly onChange?: (change: { readonly up: true } | { readonly up: false; readonly error: BrokerError }) => void;
}

/** One AMQP connection that comes back by itself, until it is disposed of. */
export interface BrokerConnection extends AsyncDisposable {
  readonly up: boolean;
  /**
   * The connection, when it is up; else waits for the attempt that runs, or makes one. Keep it for one use only.
   * Throws `BrokerError` when that attempt fails; it never waits for a later one.
   */
  model(): Promise<ChannelModel>;
  /** Runs `setup` on the connection that is up and on every later one. `setup` must not throw. */
  onUp(setup: (model: ChannelModel) => void): Disposable;
}

/** Opens in the background: never throws. TLS is verified against the endpoint's own authority, else the system's and NODE_EXTRA_CA_CERTS. */
export function openConnection(endpoint: BrokerEndpoint, options: ConnectionOptions): BrokerConnection {
  const { host, port, tls, trust, username, password, display } = endpoint;
  const vhost = options.vhost ?? endpoint.vhost;
  const setups = new Set<(model: ChannelModel) => void>();
  let current: ChannelModel | undefined;
  let dialing: Promise<ChannelModel> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let down = false;
  let closed = false;

  const lost = (error: BrokerError): void => {
    current = undefined;
    if (closed) return;
    if (!down) options.onChange?.({ up: false, error });
    down = true;
    const wait = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures++, 10)) * (0.5 + options.random() / 2);
    clearTimeout(timer);
    // What fails in the background is told by `onChange`.
    timer = setTimeout(() => void dial().catch(() => undefined), wait);
    timer.unref();
  };

  const open = async (): Promise<ChannelModel> => {
    try {
      const where = { protocol: tls ? "amqps" : "amqp", hostname: host, port, username, password, vhost, heartbeat: HEARTBEAT_S };
      const socket = { noDelay: true, keepAlive: true, timeout: CONNECT_TIMEOUT_MS, servername: host, ...trust };
      const model = await connect(where, { ...socket, clientProperties: { connection_name: options.name } });
      let cause: unknown = new Error("the connection was closed");
      model.on("error", (error) => (cause = error));
      model.on("close", () => lost(amqpError(cause, `stay connected to ${display}`, password)));
      if (closed) await model.close();
      return model;
    } catch (error) {
      throw amqpError(error, `connect to ${display}`, password);
    }
  };

  const dial = (): Promise<ChannelModel> => {
    clearTimeout(timer);
    dialing ??= open()
      .then(
        (model) => {
          if (closed) return model;
          current = model;
          failures = 0;
          down = false;
          options.onChange?.({ up: true });
          for (const setup of setups) setup(model);
          return model;
        },
        (error: unknown) => {
          const failure = amqpError(error, `connect to ${display}`, password);
          lost(failure);
          throw failure;
        },
      )
      .finally(() => (dialing = undefined));
    return dialing;
  };
  // As above.
  void dial().catch(() => undefined);

  return {
    get up() {
      return current !== undefined;
    },
    async model() {
      if (closed) throw new BrokerError("unreachable", "amqp", `cannot use the connection to ${display}: it was closed`);
      return current ?? (await dial());
    },
    onUp(setup) {
      setups.add(setup);
      if (current !== undefined) setup(current);
      return { [Symbol.dispose]: () => setups.delete(setup) };
    },
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      setups.clear();
      const model = current;
      current = undefined;
      // A connection that fails while it is being closed is closed all the same.
      await model?.close().catch(() => undefined);
      await dialing?.catch(() => undefined);
    },
  };
}

import type { BrokerEndpoint } from "../../adapters/ports.ts";

/** A URI that is not one of a broker. `field` says which, `message` what is wrong; neither holds any part of the URI's login. */
export interface InvalidUri {
  readonly field: "uriFrom" | "managementFrom";
  readonly message: string;
}

const AMQP_PORTS: Readonly<Record<string, number>> = { "amqp:": 5672, "amqps:": 5671 };
const MANAGEMENT_PORT = 15672;
const PROMETHEUS_PORT = 15692;

/**
 * Where a broker is, from the URIs in the Secret: `amqp(s)://user:password@host:port/vhost`, everything percent-encoded, and
 * optionally `http(s)://user:password@host:port/prefix`. Without a path the vhost is `/`, as in RabbitMQ's URI specification
 * (rabbitmq.com/docs/uri-spec) an empty path would be the vhost with the empty name, which nobody has; it counts as `/`, too.
 * The management API's default is port 15672 of the same host, with TLS where AMQP has it, and the same login.
 * Prometheus' default is port 15692 of the same host, without TLS and login, as RabbitMQ has it. Never throws, never shows a login.
 * @param otherVhost instead of the one in the URI
 */
export function brokerEndpoint(
  uri: string,
  managementUri?: string,
  prometheusUrl?: string,
  otherVhost?: string,
): BrokerEndpoint | InvalidUri {
  const url = parse(uri.trim().replace(/^pyamqp(s?):/, "amqp$1:"));
  const port = AMQP_PORTS[url?.protocol ?? ""];
  if (url === undefined || port === undefined || url.hostname === "") {
    return { field: "uriFrom", message: "expected amqp(s)://user:password@host:port/vhost, with special characters percent-encoded" };
  }
  const login = loginOf(url);
  const path = url.pathname.replace(/^\//, "");
  const vhost = otherVhost ?? (path === "" ? "/" : decoded(path));
  if (login === undefined || vhost === undefined || path.includes("/")) {
    return { field: "uriFrom", message: "user, password or vhost is not percent-encoded as it must be: / is %2F, % is %25, @ is %40" };
  }
  const management = managementOf(managementUri, url, login);
  if ("message" in management) return management;
  const where = { host: bare(url.hostname), port: url.port === "" ? port : Number(url.port) };
  const display = `${url.hostname}:${where.port}/${vhost === "/" ? "" : vhost}`;
  const prometheus = prometheusUrl?.replace(/\/+$/, "") ?? `http://${url.hostname}:${PROMETHEUS_PORT}`;
  return { ...where, vhost, tls: url.protocol === "amqps:", ...login, management, prometheusUrl: prometheus, display };
}

interface Login {
  readonly username: string;
  readonly password: string;
}

function managementOf(text: string | undefined, amqp: URL, login: Login): BrokerEndpoint["management"] | InvalidUri {
  if (text === undefined) {
    return { url: `http${amqp.protocol === "amqps:" ? "s" : ""}://${amqp.hostname}:${MANAGEMENT_PORT}`, ...login };
  }
  const url = parse(text.trim());
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return { field: "managementFrom", message: "expected http(s)://user:password@host:port, with special characters percent-encoded" };
  }
  const own = url.username === "" ? login : loginOf(url);
  if (own === undefined)
    return { field: "managementFrom", message: "user or password is not percent-encoded as it must be: % is %25, @ is %40" };
  const prefix = url.pathname.replace(/\/+$/, "").replace(/\/api$/, "");
  return { url: `${url.protocol}//${url.host}${prefix}`, ...own };
}

/** RabbitMQ's own default login is guest, guest. */
function loginOf(url: URL): Login | undefined {
  if (url.username === "" && url.password === "") return { username: "guest", password: "guest" };
  const [username, password] = [decoded(url.username), decoded(url.password)];
  return username === undefined || password === undefined ? undefined : { username, password };
}

const parse = (text: string): URL | undefined => URL.parse(text) ?? undefined;

/** Sockets want IPv6 addresses without the brackets. */
const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, "$1");

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // A stray %: the caller says which field.
  }
}

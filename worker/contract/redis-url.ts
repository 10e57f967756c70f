/** What ioredis takes to find a primary. */
interface SentinelTarget {
  readonly sentinels: { host: string; port: number }[];
  readonly name: string;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly sentinelPassword?: string;
}

/** Where Redis Sentinel listens unless the URL says otherwise. */
const SENTINEL_PORT = 26_379;

const EXPECTED =
  "expected redis(s)://:password@host:port/db or sentinel://:password@host:port,host:port/master/db (sentinels that want a password: ?sentinelPassword=…)";

/** What a connection needs to know: a URL, or Sentinels to ask for the primary. Throws an Error that shows no part of the URL. */
export function redisTarget(text: string, setting: string): { readonly url: string } | { readonly sentinel: SentinelTarget } {
  const url = URL.parse(text);
  if (url !== null && /^rediss?:$/.test(url.protocol)) return { url: url.href };
  // Several hosts with ports are no URL to a parser.
  const parts = /^sentinel:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?]+)\/([^/?]+)(?:\/(\d+))?(?:\?(.*))?$/.exec(text);
  if (parts === null) throw new Error(`${setting}: ${EXPECTED}`);
  const [, username = "", password = "", hosts = "", master = "", db = "0", query = ""] = parts;
  const sentinelPassword = new URLSearchParams(query).get("sentinelPassword");
  const sentinels = hosts.split(",").map((host) => {
    const [name = "", port = String(SENTINEL_PORT)] = host.split(":");
    return { host: name, port: Number(port) };
  });
  if (sentinels.some(({ host, port }) => host === "" || !Number.isInteger(port))) throw new Error(`${setting}: ${EXPECTED}`);
  return {
    sentinel: {
      sentinels,
      name: master,
      db: Number(db),
      ...(username === "" ? {} : { username: decodeURIComponent(username) }),
      ...(password === "" ? {} : { password: decodeURIComponent(password) }),
      ...(sentinelPassword === null ? {} : { sentinelPassword }),
    },
  };
}

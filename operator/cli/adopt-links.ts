import { federationKind } from "../kinds/federation/schema.ts";
import { shovelKind } from "../kinds/shovel/schema.ts";

type Fields = Readonly<Record<string, unknown>>;
/** Where a key of the broker's goes in a spec, and how it is written there. */
type Row = readonly [key: string, path: string, write?: (value: unknown) => unknown];

const ms = (value: unknown): unknown => (typeof value === "number" ? `${value}ms` : value);
const text = (value: unknown): unknown => (typeof value === "number" ? String(value) : value);
const end = (prefix: "src" | "dest", field: string): readonly Row[] => [
  [`${prefix}-protocol`, `${field}.protocol`],
  [`${prefix}-queue`, `${field}.queue`],
  [`${prefix}-queue-args`, `${field}.queueArguments`],
  [`${prefix}-exchange`, `${field}.exchange`],
  [`${prefix}-exchange-key`, `${field}.exchangeKey`],
  [`${prefix}-address`, `${field}.address`],
];

/** The reverse of what the kinds want of a broker: by component, the kind, its URIs and its other fields. */
const LINKS = {
  "federation-upstream": {
    kind: federationKind,
    uris: [["uri", "uriFrom", "uri"]],
    rows: [
      ["prefetch-count", "prefetchCount"],
      ["ack-mode", "ackMode"],
      ["expires", "expires", ms],
      ["message-ttl", "messageTTL", ms],
      ["max-hops", "maxHops"],
      ["reconnect-delay", "reconnectDelaySeconds"],
      ["trust-user-id", "trustUserId"],
      ["exchange", "exchange"],
      ["queue", "queue"],
      ["queue-type", "queueType"],
      ["resource-cleanup-mode", "resourceCleanupMode"],
    ] as readonly Row[],
  },
  shovel: {
    kind: shovelKind,
    uris: [
      ["src-uri", "source.uriFrom", "source"],
      ["dest-uri", "destination.uriFrom", "destination"],
    ],
    rows: [
      ...end("src", "source"),
      ["src-prefetch-count", "source.prefetchCount"],
      ["src-delete-after", "source.deleteAfter", text],
      ["src-consumer-args", "source.consumerArguments"],
      ...end("dest", "destination"),
      ["dest-add-forward-headers", "destination.addForwardHeaders"],
      ["dest-add-timestamp-header", "destination.addTimestampHeader"],
      ["dest-publish-properties", "destination.publishProperties"],
      ["dest-properties", "destination.properties"],
      ["dest-application-properties", "destination.applicationProperties"],
      ["dest-message-annotations", "destination.messageAnnotations"],
      ["ack-mode", "ackMode"],
      ["reconnect-delay", "reconnectDelaySeconds"],
    ] as readonly Row[],
  },
} as const;

export type LinkComponent = keyof typeof LINKS;
export const isLink = (component: string): component is LinkComponent => component in LINKS;

/** A Federation's or Shovel's own part of a spec, with the keys of the Secret that it needs; or why there can be none. */
export type Link = { readonly kind: string; readonly spec: object; readonly keys: readonly string[] } | { readonly why: string };

/**
 * What the value of a parameter is as a spec. Its URIs hold logins: they are not looked at, and the spec names the Secret instead. A value with anything
 * that the kind has no field for has no manifest, for applying one would take it away. Never throws.
 */
export function linkOf(component: LinkComponent, value: unknown, secret: string, common: object): Link {
  const { kind, uris, rows } = LINKS[component];
  const given = typeof value === "object" && value !== null ? (value as Fields) : {};
  const known = new Set<string>([...uris.map(([key]) => key), ...rows.map(([key]) => key)]);
  const foreign = Object.keys(given).filter((key) => !known.has(key));
  if (foreign.length > 0) return { why: `a ${kind.kind} has no field for ${foreign.join(", ")}` };
  const spec: Record<string, unknown> = { ...common };
  for (const [, path, key] of uris) put(spec, path, { secretKeyRef: { name: secret, key } });
  for (const [key, path, write = (one: unknown) => one] of rows) if (given[key] !== undefined) put(spec, path, write(given[key]));
  const checked = kind.spec.safeParse(spec);
  const [issue] = checked.error?.issues ?? [];
  if (issue !== undefined) return { why: `a ${kind.kind} cannot say its ${issue.path.join(".")}: ${issue.message}` };
  return { kind: kind.kind, spec, keys: uris.map(([, , key]) => key) };
}

function put(spec: Record<string, unknown>, path: string, value: unknown): void {
  const [first = "", ...rest] = path.split(".");
  if (rest.length === 0) spec[first] = value;
  else put((spec[first] ??= {}) as Record<string, unknown>, rest.join("."), value);
}

import * as z from "zod";
import { type Arguments, type ArgumentValue, BrokerError, type Setting, type SettingType } from "../ports.ts";
import type { ManagementApi } from "./http.ts";
import { orMissing } from "./http-failure.ts";

const part = encodeURIComponent;
type Json = Readonly<Record<string, ArgumentValue>>;

/** How the management API speaks of one type of setting. */
interface Row {
  /** Below `/api`: all of them, and one of them. */
  readonly all: (vhost: string) => string;
  readonly one: (vhost: string, name: string) => string;
  /** Where one is deleted, when that is not where it is read. */
  readonly gone?: (vhost: string, name: string) => string;
  readonly nameOf: (json: Json) => string;
  readonly properties: (json: Json) => Arguments;
  readonly body: (properties: Arguments) => unknown;
  /** Limits live beside the thing, one resource each. */
  readonly limits?: { readonly path: string; readonly nameOf: (json: Json) => string };
}

const text = (json: Json, key: string): string => (typeof json[key] === "string" ? json[key] : "");
const list = (value: ArgumentValue | undefined): readonly string[] =>
  (Array.isArray(value) ? value.map(String) : String(value ?? "").split(",")).filter((item) => item !== "").toSorted();
const pick = (json: Json, ...keys: readonly string[]): Arguments =>
  Object.fromEntries(keys.flatMap((key) => (json[key] === undefined ? [] : [[key, json[key]] as const])));
/** Limits and protection are no part of the body, and tags are text in it: so every version takes them. */
const tagged = (properties: Arguments): unknown => ({
  ...Object.fromEntries(Object.entries(properties).filter(([key]) => key !== "limits" && key !== "protected_from_deletion")),
  tags: list(properties["tags"]).join(),
});
const named = (plural: string) => ({
  all: (vhost: string) => `/${plural}/${part(vhost)}`,
  one: (vhost: string, name: string) => `/${plural}/${part(vhost)}/${part(name)}`,
  nameOf: (json: Json) => text(json, "name"),
});
const policy = (plural: string): Row => ({
  ...named(plural),
  properties: (json) => pick(json, "pattern", "apply-to", "priority", "definition"),
  body: (properties) => properties,
});
const parameter = (component: string): Row => ({
  ...named(`parameters/${component}`),
  properties: (json) => pick(json, "value"),
  body: (properties) => properties,
});

const ROWS: Readonly<Record<SettingType, Row>> = {
  vhost: {
    all: () => "/vhosts?columns=name,description,tags,default_queue_type,tracing,protected_from_deletion",
    one: (_, name) => `/vhosts/${part(name)}`,
    nameOf: (json) => text(json, "name"),
    properties: (json) => ({
      // 3.10 says undefined where there is none.
      ...(json["default_queue_type"] === "undefined" ? {} : pick(json, "default_queue_type")),
      ...pick(json, "protected_from_deletion"),
      description: text(json, "description"),
      tracing: json["tracing"] === true,
      tags: list(json["tags"]),
    }),
    body: tagged,
    limits: { path: "vhost-limits", nameOf: (json) => text(json, "vhost") },
  },
  user: {
    all: () => "/users?columns=name,tags,password_hash,hashing_algorithm",
    one: (_, name) => `/users/${part(name)}`,
    nameOf: (json) => text(json, "name"),
    properties: (json) => ({
      password_hash: text(json, "password_hash"),
      hashing_algorithm: text(json, "hashing_algorithm"),
      tags: list(json["tags"]),
    }),
    body: tagged,
    limits: { path: "user-limits", nameOf: (json) => text(json, "user") },
  },
  permission: {
    all: (vhost) => `/vhosts/${part(vhost)}/permissions`,
    one: (vhost, name) => `/permissions/${part(vhost)}/${part(name)}`,
    nameOf: (json) => text(json, "user"),
    properties: (json) => pick(json, "configure", "write", "read"),
    body: (properties) => properties,
  },
  "topic-permission": {
    all: (vhost) => `/vhosts/${part(vhost)}/topic-permissions`,
    one: (vhost, name) => `/topic-permissions/${part(vhost)}/${name.split("/")[0]}`,
    gone: (vhost, name) => `/topic-permissions/${part(vhost)}/${name}`,
    nameOf: (json) => [text(json, "user"), text(json, "exchange")].map(part).join("/"),
    properties: (json) => pick(json, "exchange", "write", "read"),
    body: (properties) => properties,
  },
  policy: policy("policies"),
  "operator-policy": policy("operator-policies"),
  "federation-upstream": parameter("federation-upstream"),
  shovel: parameter("shovel"),
};

const value: z.ZodType<ArgumentValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.array(value), z.record(z.string(), value)]),
);
/** null, as of a parameter without a value, counts as absent. */
const jsonSchema = z.record(z.string(), z.unknown()).transform(
  (json): Json =>
    Object.fromEntries(
      Object.entries(json).flatMap(([key, one]) => {
        const read = value.safeParse(one);
        return read.success ? [[key, read.data] as const] : [];
      }),
    ),
);
const jsons = z.union([z.array(jsonSchema), jsonSchema.transform((one) => [one])]);

/** Vhosts, users, permissions, policies and parameters by the management API. Failures are `BrokerError`; every call may be repeated. */
export interface SettingsApi {
  list(type: SettingType): Promise<readonly Setting[]>;
  read(type: SettingType, name: string): Promise<Setting | undefined>;
  declare(setting: Setting): Promise<void>;
  /** Deleting what is not there is a success. `ifEmpty`: of a vhost, refuses with `not-empty` while it has queues. */
  remove(setting: Pick<Setting, "type" | "name">, ifEmpty: boolean): Promise<void>;
}

/** @param username whose login `api` uses */
export function createSettings(api: ManagementApi, vhost: string, username: string): SettingsApi {
  const half = new Set<string>();
  /**
   * Who makes a vhost may do everything in it; not when making it fails half-way, as it does while another of that name still goes: the next try finds
   * it there, and gives nothing. Then nobody could fill it again.
   */
  const made = async (name: string, put: Promise<unknown>): Promise<void> => {
    try {
      await put;
    } catch (error) {
      half.add(name);
      throw error;
    }
    if (!half.delete(name)) return;
    const path = `/permissions/${part(name)}/${part(username)}`;
    if ((await orMissing(api.call({ method: "GET", path }))) !== undefined) return;
    await api.call({ method: "PUT", path, body: { configure: ".*", write: ".*", read: ".*" } });
  };
  const get = async (path: string): Promise<readonly Json[]> => jsons.parse((await orMissing(api.call({ method: "GET", path }))) ?? []);
  const limitsAt = async ({ limits }: Row, name?: string): Promise<ReadonlyMap<string, Json>> => {
    if (limits === undefined) return new Map();
    const found = await get(`/${limits.path}${name === undefined ? "" : `/${part(name)}`}`);
    return new Map(found.map((json) => [limits.nameOf(json), limitsIn(json["value"])]));
  };
  const setting = (type: SettingType, json: Json, limits: ReadonlyMap<string, Json>): Setting => {
    const row = ROWS[type];
    const name = row.nameOf(json);
    return { type, name, properties: { ...row.properties(json), ...(row.limits === undefined ? {} : { limits: limits.get(name) ?? {} }) } };
  };
  const declareLimits = async ({ limits }: Row, { name, properties }: Setting, before: Json): Promise<void> => {
    if (limits === undefined) return;
    const wanted = objectOf(properties["limits"]);
    const path = (limit: string) => `/${limits.path}/${part(name)}/${part(limit)}`;
    for (const [limit, count] of Object.entries(wanted)) {
      if (before[limit] !== count) await api.call({ method: "PUT", path: path(limit), body: { value: count } });
    }
    for (const limit of Object.keys(before)) if (!(limit in wanted)) await orMissing(api.call({ method: "DELETE", path: path(limit) }));
  };

  return {
    async list(type) {
      const row = ROWS[type];
      const [found, limits] = await Promise.all([get(row.all(vhost)), limitsAt(row)]);
      return found.map((json) => setting(type, json, limits));
    },
    async read(type, name) {
      const row = ROWS[type];
      const [found, limits] = await Promise.all([get(row.one(vhost, name)), limitsAt(row, name)]);
      return found.map((json) => setting(type, json, limits)).find((one) => one.name === name);
    },
    async declare(one) {
      const { type, name, properties } = one;
      const row = ROWS[type];
      const body = row.body(properties);
      const put = api.call({ method: "PUT", path: row.one(vhost, name), body });
      await (type === "vhost" ? made(name, put) : put);
      const guarded = properties["protected_from_deletion"];
      const guard = { method: guarded === true ? "POST" : "DELETE", path: `${row.one(vhost, name)}/deletion/protection` } as const;
      if (guarded !== undefined) await api.call(guard);
      await declareLimits(row, one, (await limitsAt(row, name)).get(name) ?? {});
    },
    async remove({ type, name }, ifEmpty) {
      if (ifEmpty && type === "vhost") await assertNoQueues(api, name);
      const { one, gone = one } = ROWS[type];
      await orMissing(api.call({ method: "DELETE", path: gone(vhost, name) }));
    },
  };
}

const objectOf = (json: ArgumentValue | undefined): Json =>
  typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Json) : {};

/** A negative limit is none. */
const limitsIn = (value: ArgumentValue | undefined): Json =>
  Object.fromEntries(Object.entries(objectOf(value)).filter(([, count]) => Number(count) >= 0));

async function assertNoQueues(api: ManagementApi, name: string): Promise<void> {
  const found = await orMissing(api.call({ method: "GET", path: `/queues/${part(name)}?page=1&page_size=1&disable_stats=true` }));
  const count = z.object({ total_count: z.int() }).safeParse(found);
  if (!count.success || count.data.total_count === 0) return;
  throw new BrokerError("not-empty", "management", `vhost ${name} has ${count.data.total_count} queues`);
}

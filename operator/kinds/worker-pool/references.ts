import { createHash } from "node:crypto";
import { isDeleting, type KubeObject, keyOf, type ObjectKey } from "../../runtime/object.ts";
import { Waiting } from "../../runtime/truth/outcome.ts";
import type { DataReader } from "./data-reader.ts";
import { secretsOf } from "./declared.ts";
import type { SecretKey } from "./inputs.ts";
import type { WorkerPool } from "./schema.ts";

/** A Broker or a Store: what a pool needs of it is which Secret holds its URI. */
export interface Backend extends KubeObject {
  readonly spec: { readonly uriFrom: { readonly secretKeyRef: SecretKey } };
}

/** Where references are looked up: Brokers and Stores in caches, Secrets and ConfigMaps by name. */
export interface ReferenceDeps {
  readonly broker: (key: ObjectKey) => Backend | undefined;
  readonly store: (key: ObjectKey) => Backend | undefined;
  readonly data: DataReader;
}

export interface References {
  readonly broker: SecretKey;
  readonly store?: SecretKey;
  /** Changes when what the pods read changes. Made of versions only: it tells nothing of a Secret's content. */
  readonly inputsDigest: string;
}

/**
 * Finds everything that a pool refers to. Never writes, and never keeps a Secret's content.
 * Throws `Waiting` with the reason for the first thing that is missing; rejects with `KubeError`.
 */
export async function resolveReferences(pool: WorkerPool, deps: ReferenceDeps): Promise<References> {
  const { brokerRef, storeRef, tasks } = pool.spec;
  const namespace = pool.metadata.namespace ?? "";
  const broker = secretOf(deps.broker(`${namespace}/${brokerRef.name}`), "BrokerMissing", `Broker ${brokerRef.name} does not exist`);
  const store = storeRef && secretOf(deps.store(`${namespace}/${storeRef.name}`), "StoreMissing", `Store ${storeRef.name} does not exist`);
  const versions = [await secretVersion(namespace, broker, `Broker ${brokerRef.name}`, deps)];
  if (store) versions.push(await secretVersion(namespace, store, `Store ${storeRef.name}`, deps));
  for (const { at, secret } of secretsOf(pool)) versions.push(await secretVersion(namespace, secret, at, deps));
  if (tasks?.configMapRef) versions.push(await tasksVersion(namespace, tasks.configMapRef.name, deps));
  return { broker, ...(store && { store }), inputsDigest: digest(versions) };
}

/** Which pools a change of a Broker, Store or anything else of that name concerns, for `relate`. Pure. */
export function poolsThatUse(pools: readonly WorkerPool[], ref: "brokerRef" | "storeRef", { metadata }: KubeObject): readonly ObjectKey[] {
  return pools.filter((pool) => pool.metadata.namespace === metadata.namespace && pool.spec[ref]?.name === metadata.name).map(keyOf);
}

function secretOf(backend: Backend | undefined, reason: "BrokerMissing" | "StoreMissing", message: string): SecretKey {
  if (backend === undefined || isDeleting(backend)) throw new Waiting(reason, message);
  return backend.spec.uriFrom.secretKeyRef;
}

async function secretVersion(namespace: string, { name, key }: SecretKey, owner: string, { data }: ReferenceDeps): Promise<string> {
  const secret = await data.read("Secret", namespace, name);
  if (secret === undefined) throw new Waiting("SecretMissing", `Secret ${name}, which ${owner} names, does not exist`);
  if (!secret.keys.includes(key)) throw new Waiting("SecretKeyMissing", `Secret ${name}, which ${owner} names, has no key ${key}`);
  return `${name}/${key}/${secret.version}`;
}

async function tasksVersion(namespace: string, name: string, { data }: ReferenceDeps): Promise<string> {
  const found = await data.read("ConfigMap", namespace, name);
  const where = `ConfigMap ${name}, which spec.tasks.configMapRef names,`;
  if (found === undefined) throw new Waiting("TasksMissing", `${where} does not exist`);
  if (found.keys.length === 0) throw new Waiting("TasksMissing", `${where} is empty; it holds one task module per key`);
  return `${name}/${found.version}`;
}

const digest = (parts: readonly string[]): string => createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);

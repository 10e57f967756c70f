import { queueEntries } from "../kinds/worker-pool/inputs.ts";
import { type WorkerPool, workerPoolKind } from "../kinds/worker-pool/schema.ts";
import { asMap, readObjects, UsageError, type YamlObject } from "./yaml-source.ts";

/**
 * The WorkerPool of a manifest, with the defaults that the API server would fill in. `name` chooses one of several. Throws `UsageError` with
 * file, line and field for what the API server would refuse, and for a pool without `autoscaling`.
 */
export function readPool(text: string, file: string, name: string | undefined): WorkerPool {
  const pools = readObjects(text, file).filter(({ value }) => value["kind"] === workerPoolKind.kind);
  const named = name === undefined ? pools : pools.filter((pool) => nameOf(pool) === name);
  const [pool, ...others] = named;
  if (pool === undefined) {
    throw new UsageError(
      `${file}: no WorkerPool${name === undefined ? "" : ` named ${name}`}; it has ${pools.map(nameOf).join(", ") || "none"}`,
    );
  }
  if (others.length > 0) throw new UsageError(`${file}: several WorkerPools (${named.map(nameOf).join(", ")}); choose one with --name`);
  return validated(pool);
}

const nameOf = ({ value }: YamlObject): string => String(asMap(value["metadata"])["name"] ?? "");

function validated({ value, where }: YamlObject): WorkerPool {
  const parsed = workerPoolKind.spec.safeParse(value["spec"] ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = ["spec", ...(issue?.path ?? [])];
    throw new UsageError(`${where(path)}: ${path.join(".")}: ${issue?.message}`);
  }
  const spec = parsed.data;
  const { autoscaling } = spec;
  const wrong = (path: readonly string[], words: string): UsageError =>
    new UsageError(`${where(["spec", ...path])}: spec.${path.join(".")}: ${words}`);
  if (autoscaling === undefined)
    throw wrong(["autoscaling"], "missing; a pool without it has a fixed size, and there is nothing to decide");
  if (autoscaling.backlogPerReplica === undefined && autoscaling.waitSeconds === undefined) {
    throw wrong(["autoscaling"], "say the target: backlogPerReplica, waitSeconds, or both");
  }
  if (autoscaling.minReplicas > autoscaling.maxReplicas) {
    throw wrong(["autoscaling", "minReplicas"], `${autoscaling.minReplicas} must not exceed maxReplicas, ${autoscaling.maxReplicas}`);
  }
  const metadata = { name: nameOf({ value, where }) };
  const pool: WorkerPool = { apiVersion: "longshore.dev/v1alpha1", kind: workerPoolKind.kind, metadata, spec };
  const queues = queueEntries(pool);
  if ("problem" in queues) throw new UsageError(`${where(["spec", "queues"])}: ${queues.problem}`);
  return pool;
}

import type { WorkerEnv } from "../../../worker/contract/env.ts";
import { POOL_LABEL, TASKS_FOLDER, WORKER_CONTAINER, WORKER_HTTP_PORT } from "../../../worker/contract/names.ts";
import { byteCount } from "../quantities.ts";
import { declaredEnvironment } from "./declared.ts";
import type { SecretKey } from "./inputs.ts";
import type { WorkerPool } from "./schema.ts";

/** A pod template, as far as we look into it. */
export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly containers: readonly Container[]; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly EnvVar[];
  readonly [field: string]: unknown;
}

interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}

/** What a pod is told, beside the pool itself. */
export interface PodFacts {
  readonly workerImage: string;
  readonly broker: SecretKey;
  readonly store?: SecretKey;
  /** Names of the queues, on the broker. */
  readonly queues: readonly string[];
  readonly drainSeconds: number;
  /** As LONGSHORE_DELAYED_ROUTES has them. */
  readonly delayedRoutes: string | undefined;
}

const MB = 1_048_576;

/** Of the worker image: the user of a distroless or Node image that is not root. */
const NONROOT = 65_532;

/** The pool's own template, before the user's is merged over it. Pure. A user's image gets the environment and is otherwise left to itself. */
export function ownTemplate(pool: WorkerPool, facts: PodFacts): PodTemplate {
  const own = pool.spec.runtime === "longshore";
  return {
    metadata: { labels: poolLabels(pool), annotations: {} },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: own
        ? { runAsNonRoot: true, runAsUser: NONROOT, runAsGroup: NONROOT, fsGroup: NONROOT, seccompProfile: { type: "RuntimeDefault" } }
        : { seccompProfile: { type: "RuntimeDefault" } },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "kubernetes.io/hostname",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: { [POOL_LABEL]: pool.metadata.name } },
        },
      ],
      containers: [
        {
          name: WORKER_CONTAINER,
          env: environment(pool, facts),
          terminationMessagePolicy: "FallbackToLogsOnError",
          ...(own && worker(pool, facts)),
        },
      ],
      ...(own && { volumes: [{ name: "tmp", emptyDir: {} }, ...taskVolume(pool)] }),
    },
  };
}

/** Labels of the Deployment and its pods. Only `POOL_LABEL` selects; the others are for people and dashboards. */
export const poolLabels = ({ metadata: { name } }: WorkerPool): Readonly<Record<string, string>> => ({
  "app.kubernetes.io/name": "longshore-worker",
  "app.kubernetes.io/instance": name,
  "app.kubernetes.io/component": "worker",
  "app.kubernetes.io/managed-by": "longshore",
  [POOL_LABEL]: name,
});

function worker(pool: WorkerPool, { workerImage }: PodFacts): Omit<Container, "name"> {
  return {
    image: workerImage,
    imagePullPolicy: "IfNotPresent",
    ports: [{ name: "http", containerPort: WORKER_HTTP_PORT }],
    ...PROBES,
    resources: { requests: { cpu: "100m", memory: "128Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "tmp", mountPath: "/tmp" },
      ...taskVolume(pool).map(({ name }) => ({ name, mountPath: TASKS_FOLDER, readOnly: true })),
    ],
  };
}

const ask = (path: string) => ({ httpGet: { path, port: WORKER_HTTP_PORT }, timeoutSeconds: 5 });

/**
 * Readiness is asked often, so that a pod counts soon, and believed slowly: a worker that is busy may answer late, and the ReplicaSet controller
 * removes pods that are not ready first. Liveness gives up after minutes: a restart costs every task in flight.
 */
const PROBES = {
  startupProbe: { ...ask("/healthz"), periodSeconds: 1, failureThreshold: 120 },
  readinessProbe: { ...ask("/readyz"), periodSeconds: 1, failureThreshold: 60 },
  livenessProbe: { ...ask("/healthz"), periodSeconds: 10, failureThreshold: 18 },
};

const taskVolume = ({ spec }: WorkerPool) =>
  spec.tasks?.configMapRef === undefined ? [] : [{ name: "tasks", configMap: { name: spec.tasks.configMapRef.name } }];

/** In the order in which `$(NAME)` may refer back: ours first, the user's after them. */
function environment(pool: WorkerPool, { broker, store, queues, drainSeconds, delayedRoutes }: PodFacts): readonly EnvVar[] {
  const fromSecret = (secretKeyRef: SecretKey): Omit<EnvVar, "name"> => ({ valueFrom: { secretKeyRef } });
  // `$(NAME)` in a value is expanded by the kubelet; `$$` is a plain dollar.
  const plain = (value: string): Omit<EnvVar, "name"> => ({ value: value.replaceAll("$", "$$$$") });
  const { timeLimitSeconds, softTimeLimitSeconds, pool: kind, taskEvents, acks, deliveryLimit, deadLetter } = pool.spec;
  const own = pool.spec.runtime === "longshore";
  const optional = (name: keyof WorkerEnv, value: string | number | boolean | undefined) =>
    value === undefined ? {} : { [name]: plain(String(value)) };
  const table: Readonly<Partial<Record<keyof WorkerEnv, Omit<EnvVar, "name">>>> = {
    POD_NAME: { valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    LONGSHORE_NAMESPACE: { valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
    LONGSHORE_POOL: plain(pool.metadata.name),
    LONGSHORE_QUEUES: plain(queues.join(",")),
    LONGSHORE_CONCURRENCY: plain(String(pool.spec.concurrency)),
    CELERY_BROKER_URL: fromSecret(broker),
    ...(store && { CELERY_RESULT_BACKEND: fromSecret(store) }),
    ...optional("LONGSHORE_WORKER_POOL", kind?.type),
    ...optional("LONGSHORE_MAX_TASKS_PER_CHILD", kind?.maxTasksPerChild),
    ...optional("LONGSHORE_MAX_MEMORY_MB_PER_CHILD", kind?.maxMemoryPerChild && Math.ceil(byteCount(kind.maxMemoryPerChild) / MB)),
    ...(own && {
      LONGSHORE_DRAIN_SECONDS: plain(String(drainSeconds)),
      ...optional("LONGSHORE_TIME_LIMIT", timeLimitSeconds),
      ...optional("LONGSHORE_SOFT_TIME_LIMIT", softTimeLimitSeconds),
      ...optional("CELERY_TASK_ACKS_LATE", acks?.late),
      ...optional("CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT", acks?.onFailureOrTimeout),
      ...optional("LONGSHORE_PREFETCH_MULTIPLIER", pool.spec.prefetchMultiplier),
      ...optional("LONGSHORE_DELIVERY_LIMIT", deliveryLimit),
      ...optional("LONGSHORE_DEAD_LETTER_EXCHANGE", deadLetter?.exchange),
      ...optional("LONGSHORE_DEAD_LETTER_ROUTING_KEY", deadLetter?.routingKey),
      ...optional("LONGSHORE_DELAYED_ROUTES", delayedRoutes),
      ...optional("LONGSHORE_EVENTS", taskEvents === true ? "true" : undefined),
    }),
  };
  const declared = declaredEnvironment(pool).map(({ name, value, valueFrom }) => ({
    name,
    ...(value === undefined ? { ...(valueFrom && { valueFrom }) } : plain(value)),
  }));
  return [...Object.entries(table).map(([name, value]) => ({ name, ...value })), ...declared];
}

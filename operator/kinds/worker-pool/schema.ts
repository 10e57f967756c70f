import * as z from "zod";
import { declaredTasksSchema } from "../../../worker/contract/declared-tasks.ts";
import { defineKind, type ObjectOf } from "../../runtime/define-kind.ts";
import { bytes, commonStatus, reference } from "../fields.ts";
import { autoscalingSchema, autoscalingStatusSchema } from "./autoscaling.ts";
import { delayedDelivery, queueEntry } from "./queue-fields.ts";

/** Replicas of one worker that consume the same queues. */
export const workerPoolKind = defineKind({
  kind: "WorkerPool",
  plural: "workerpools",
  maxNameLength: 63, // The value of a label on its pods.
  shortNames: ["wp", "pool"],
  description: "Workers that consume the same queues, run as a Deployment and scaled by their backlog.",
  finalizer: false,
  immutable: ["runtime"],
  rules: [
    {
      field: "storeRef",
      rule: "self.runtime != 'longshore' || has(self.storeRef)",
      message: "storeRef is required for runtime longshore: results, leases and heartbeats live there",
    },
    {
      field: "softTimeLimitSeconds",
      rule: "!has(self.softTimeLimitSeconds) || !has(self.timeLimitSeconds) || self.softTimeLimitSeconds < self.timeLimitSeconds",
      message: "softTimeLimitSeconds must be below timeLimitSeconds, or it would never be noticed",
    },
    {
      field: "template",
      rule: "self.runtime == 'longshore' || has(self.template)",
      message: "template is required for runtime celery and custom: it names the image to run",
    },
    {
      field: "delayedDelivery",
      rule: "!has(self.delayedDelivery) || self.runtime == 'longshore'",
      message: "delayedDelivery needs runtime longshore: Celery's own workers do it by themselves",
    },
    { field: "tasks", rule: "!has(self.tasks) || self.runtime == 'longshore'", message: "tasks need runtime longshore" },
    {
      path: "pool",
      field: "type",
      rule: "!(self.type in ['async', 'gevent', 'eventlet', 'solo']) || !(has(self.maxTasksPerChild) || has(self.maxMemoryPerChild))",
      message: "maxTasksPerChild and maxMemoryPerChild need type threads or processes: the others have no children",
    },
    {
      path: "autoscaling",
      field: "minReplicas",
      rule: "self.minReplicas <= self.maxReplicas",
      message: "minReplicas must not exceed maxReplicas",
    },
    {
      path: "autoscaling",
      field: "backlogPerReplica",
      rule: "has(self.backlogPerReplica) || has(self.waitSeconds)",
      message: "say the target: backlogPerReplica, waitSeconds, or both",
    },
    {
      path: "autoscaling",
      field: "floors",
      rule: "self.floors.all(f, f.minReplicas <= self.maxReplicas)",
      message: "a floor must not exceed maxReplicas",
    },
  ],
  spec: z.strictObject({
    runtime: z
      .enum(["longshore", "celery", "custom"])
      .default("longshore")
      .meta({ description: "longshore: the shared worker image. celery: a Python Celery worker. custom: any consumer." }),
    brokerRef: reference("Broker"),
    storeRef: reference("Store").optional(),
    queues: z.array(queueEntry).min(1).max(500).meta({
      description:
        "Names, on the broker, of the queues to consume: a name, or {name, weight}. For runtime custom also {pattern, weight}: every queue whose whole name matches.",
      preserveUnknownItems: true,
    }),
    concurrency: z.int().min(1).max(1_000).default(1).meta({ description: "Slots: tasks that one replica runs at a time." }),
    timeLimitSeconds: z.int().min(1).max(604_800).optional().meta({
      description:
        "How long one task may run. The worker ends one that takes longer and has no limit of its own, and a replica that is told to stop gets as long to finish, unless the template says otherwise. Other runtimes only get the time to finish.",
    }),
    softTimeLimitSeconds: z.int().min(1).max(604_800).optional().meta({
      description: "After that long a task that has no such limit of its own is told, by its signal, to stop.",
    }),
    pool: z
      .strictObject({
        type: z.enum(["async", "threads", "processes", "solo", "prefork", "gevent", "eventlet"]).default("async").meta({
          description:
            "async: all slots on one event loop, for tasks that wait. threads, processes: a thread or a process per slot, for tasks that compute; a hard limit ends them. solo: one slot. Celery's prefork, gevent and eventlet are aliases.",
        }),
        maxTasksPerChild: z
          .int()
          .min(1)
          .max(1_000_000_000)
          .optional()
          .meta({ description: "Tasks after which a thread or process is replaced." }),
        maxMemoryPerChild: bytes(
          "Heap of a thread or process; beyond it that child dies, alone, and its task is tried again once.",
        ).optional(),
      })
      .optional()
      .meta({ description: "How slots run tasks. Other runtimes find the type in $(LONGSHORE_WORKER_POOL)." }),
    acks: z
      .strictObject({
        late: z
          .boolean()
          .default(true)
          .meta({ description: "false acknowledges a message before its task runs, as Celery does by default: a crash loses it." }),
        onFailureOrTimeout: z
          .boolean()
          .default(true)
          .meta({ description: "false sends the messages of failed tasks to the dead letters." }),
      })
      .optional()
      .meta({ description: "When messages are acknowledged, for tasks that do not say." }),
    prefetchMultiplier: z.int().min(1).max(100).optional().meta({
      description:
        "Messages that a replica holds per slot, those that run included. Default 1: what waits, waits in the queue, for whoever is free.",
    }),
    deliveryLimit: z.int().min(0).max(1_000_000).optional().meta({
      description:
        "How often a message may come back before its task fails and it goes to the dead letters; 0: for ever. Default 18, below RabbitMQ's own limit of 20 for quorum queues, which nobody is told of.",
    }),
    deadLetter: z
      .strictObject({
        exchange: z.string().max(255).meta({ description: "Name on the broker; empty for the default exchange." }),
        routingKey: z.string().max(255).optional().meta({ description: "Default: the name of the queue that the message came from." }),
      })
      .optional()
      .meta({
        description:
          "Where workers publish dead letters, with the reason in headers longshore-death-*. Without it they reject them, and the queue's own dead-letter exchange takes them, if it has one.",
      }),
    delayedDelivery: delayedDelivery.optional(),
    taskEvents: z
      .boolean()
      .optional()
      .meta({ description: "Celery's task events from the start, as `celery worker -E`. Flower asks for them by itself." }),
    replicas: z.int().min(0).max(10_000).optional().meta({
      description:
        "Without autoscaling: how many replicas (default 1). With autoscaling: a floor set by hand, as `kubectl scale` does; 0 takes it away.",
    }),
    tasks: z
      .strictObject({
        configMapRef: z
          .strictObject({
            name: z
              .string()
              .min(1)
              .max(253)
              .meta({ description: "Name of the ConfigMap, in the same namespace; one task module per key." }),
          })
          .optional()
          .meta({ description: "Task modules from a ConfigMap. Without it, those built into the image." }),
        ...declaredTasksSchema.shape,
      })
      .optional()
      .meta({ description: "Where the tasks come from." }),
    template: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: "A PodTemplateSpec, merged strategically over the pool's own.", preserveUnknown: true }),
    autoscaling: autoscalingSchema.optional(),
    disruptionBudget: z.enum(["Managed", "None"]).optional().meta({
      description:
        "Managed, the default: a PodDisruptionBudget lets a quarter of the replicas be evicted at a time. None: no budget, as where you have one of your own.",
    }),
  }),
  status: z.object({
    ...commonStatus,
    replicas: z.int().min(0).optional().meta({ description: "Pods of the pool." }),
    readyReplicas: z.int().min(0).optional().meta({ description: "Pods that consume or could." }),
    desiredReplicas: z.int().min(0).optional().meta({ description: "Pods that the pool should have." }),
    drainingReplicas: z.int().min(0).optional().meta({ description: "Pods that finish what they run, to be removed." }),
    busy: z.int().min(0).optional().meta({ description: "Slots that run a task." }),
    backlog: z.int().min(0).optional().meta({ description: "Tasks that wait or run." }),
    selector: z.string().optional().meta({ description: "Label selector of the pods, for the scale subresource." }),
    autoscaling: autoscalingStatusSchema.optional().meta({ description: "The last decision of the autoscaler." }),
  }),
  columns: [
    { name: "Ready", type: "integer", jsonPath: ".status.readyReplicas", description: "Pods that are ready." },
    { name: "Desired", type: "integer", jsonPath: ".status.desiredReplicas", description: "Pods that the pool should have." },
    { name: "Busy", type: "integer", jsonPath: ".status.busy", description: "Slots that run a task." },
    { name: "Backlog", type: "integer", jsonPath: ".status.backlog", description: "Tasks that wait or run." },
    {
      name: "Reason",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: "Why the pool is in this state.",
    },
    { name: "Draining", type: "integer", jsonPath: ".status.drainingReplicas", description: "Pods that are being drained.", priority: 1 },
    {
      name: "Message",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Ready")].message',
      description: "What to do.",
      priority: 1,
    },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Age." },
  ],
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".status.selector" },
  permissions: [
    {
      apiGroup: "apps",
      resources: ["deployments"],
      verbs: ["get", "list", "watch", "create", "patch"],
      why: "Each pool runs as a Deployment.",
    },
    {
      apiGroup: "apps",
      resources: ["deployments/scale"],
      verbs: ["patch"],
      why: "The autoscaler changes the size and nothing else.",
    },
    {
      apiGroup: "",
      resources: ["pods"],
      verbs: ["get", "list", "watch", "patch"],
      why: "Draining marks pods and sets their deletion cost.",
    },
    {
      apiGroup: "policy",
      resources: ["poddisruptionbudgets"],
      verbs: ["get", "list", "watch", "create", "patch", "delete"],
      why: "Each pool has a budget, so that a node drain never takes all of its replicas at once.",
    },
    {
      apiGroup: "autoscaling",
      resources: ["horizontalpodautoscalers"],
      verbs: ["get", "list", "watch"],
      why: "A pool that an HPA scales, too, is refused: two autoscalers would fight.",
    },
    { apiGroup: "", resources: ["configmaps"], verbs: ["get"], why: "A changed ConfigMap of tasks rolls the pool's pods. Read by name." },
    { apiGroup: "", resources: ["secrets"], verbs: ["get"], why: "A changed Secret rolls the pool's pods. Read by name, never listed." },
  ],
});
export type WorkerPool = ObjectOf<typeof workerPoolKind>;

import * as z from "zod";

const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  );

/** The operator's whole environment: the chart renders it, `main.ts` parses it, once. How to reach the API server is a pod's or a kubeconfig's matter. */
export const operatorEnvSchema = z.object({
  WATCH_NAMESPACES: list.meta({ description: "Namespaces to serve, by comma. Empty: all." }),
  POD_NAME: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "From the downward API: who holds the lease. Default: host name and process id." }),
  POD_NAMESPACE: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "From the downward API: where the lease is. Default: that of the kubeconfig." }),
  LEASE_NAME: z.string().min(1).default("longshore-operator").meta({ description: "Operators with the same lease take turns." }),
  WORKER_IMAGE: z.string().min(1).meta({ description: "Image of pools with runtime longshore." }),
  HEALTH_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8080)
    .meta({ description: "/healthz, /readyz and /metrics. 0: any free one." }),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
});
export type OperatorEnv = z.output<typeof operatorEnvSchema>;

import { expect, test } from "vitest";
import { workerEnvSchema } from "../contract/env.ts";
import { confOf } from "./conf.ts";

test("the configuration that remote control shows has Celery's names and no password", () => {
  const env = workerEnvSchema.parse({
    POD_NAME: "pod",
    LONGSHORE_QUEUES: "q",
    CELERY_BROKER_URL: "amqp://user:s3cret%21@broker:5672/vhost",
    CELERY_RESULT_BACKEND: "redis://:s3cret@store:6379/0",
  });
  const conf = confOf(env, 3);
  expect(conf).toMatchObject({
    broker_url: "amqp://user:********@broker:5672/vhost",
    result_backend: "redis://:********@store:6379/0",
    worker_concurrency: 3,
    enable_utc: true,
  });
  expect(JSON.stringify(conf)).not.toContain("s3cret");
  expect(confOf({ ...env, CELERY_RESULT_BACKEND: "rpc://" }, 1)).toMatchObject({ result_backend: "rpc://" });
});

import { loadAccess } from "../../operator/adapters/kubernetes/access.ts";
import { createKube } from "../../operator/adapters/kubernetes/kube.ts";
import type { KubePort, Resource } from "../../operator/adapters/ports.ts";
import { brokerKind } from "../../operator/kinds/broker/schema.ts";
import { type Schedule, scheduleKind } from "../../operator/kinds/schedule/schema.ts";
import { storeKind } from "../../operator/kinds/store/schema.ts";
import { resourceOf } from "../../operator/runtime/define-kind.ts";
import type { KubeObject } from "../../operator/runtime/object.ts";
import { type OperatorProcess, startOperatorProcess } from "./operator-process.ts";

const SECRETS: Resource = { group: "", version: "v1", plural: "secrets", kind: "Secret" };
const SCHEDULES = resourceOf(scheduleKind);
const API = "longshore.dev/v1alpha1";

/** An API server, a broker and a store, with the objects that schedules refer to. */
export interface ScheduleStage extends AsyncDisposable {
  readonly kube: KubePort;
  /** Creates one in the namespace `default`; what the spec does not say is a queue `ticks` and a task `t`. */
  create(name: string, spec: Partial<Schedule["spec"]>): Promise<Schedule>;
  /** An operator of its own process. @param main what Node runs; default: the source. @param more of its environment */
  operator(name: string, main?: readonly string[], more?: Readonly<Record<string, string>>): OperatorProcess;
}

/** @param uris of the broker and the store, with their logins */
export async function openScheduleStage(
  kubeconfig: string,
  uris: { readonly broker: string; readonly store: string },
): Promise<ScheduleStage> {
  const kube = createKube(await loadAccess({ KUBECONFIG: kubeconfig }), { random: Math.random, deadlineMs: 60_000 });
  const operators: OperatorProcess[] = [];
  const metadata = (name: string) => ({ name, namespace: "default" });
  const secret = { apiVersion: "v1", kind: "Secret", metadata: metadata("backends"), stringData: uris };
  const from = (key: string) => ({ uriFrom: { secretKeyRef: { name: "backends", key } } });
  const put = (resource: Resource, object: KubeObject) => kube.apply(resource, object);
  await put(SECRETS, secret);
  await put(resourceOf(brokerKind), {
    apiVersion: API,
    kind: "Broker",
    metadata: metadata("rabbitmq"),
    spec: from("broker"),
  } as KubeObject);
  await put(resourceOf(storeKind), { apiVersion: API, kind: "Store", metadata: metadata("redis"), spec: from("store") } as KubeObject);
  return {
    kube,
    create(name, spec) {
      const refs = { brokerRef: { name: "rabbitmq" }, storeRef: { name: "redis" } };
      const target = spec.exchange === undefined ? { queue: "ticks" } : {};
      const object = { apiVersion: API, kind: "Schedule", metadata: metadata(name), spec: { ...refs, task: "t", ...target, ...spec } };
      return kube.create(SCHEDULES, object as Schedule);
    },
    operator(name, main, more = {}) {
      const env = { KUBECONFIG: kubeconfig, POD_NAME: name, POD_NAMESPACE: "default", WORKER_IMAGE: "none", HEALTH_PORT: "0", ...more };
      const operator = startOperatorProcess(env, main);
      operators.push(operator);
      return operator;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(operators.map((operator) => operator[Symbol.asyncDispose]()));
      kube[Symbol.dispose]();
    },
  };
}

/** Of the messages that a schedule published: its name, the due time in ms, and the task's id. */
export interface Tick {
  readonly schedule: string;
  readonly due: number;
  readonly id: string;
}

/** @param headers of a message */
export const tickOf = (headers: Readonly<Record<string, unknown>>): Tick => ({
  schedule: String(headers["longshore-schedule"]).replace(/^.*\//, ""),
  due: Date.parse(String(headers["longshore-due"])),
  id: String(headers["id"]),
});

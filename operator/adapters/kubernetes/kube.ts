import * as z from "zod";
import { isKubeError, KubeError } from "../../runtime/kube-error.ts";
import type { KubeObject } from "../../runtime/object.ts";
import type { KubePort, Page, Resource, Selection } from "../ports.ts";
import type { Access } from "./access.ts";
import { pathOf, selectors, withQuery } from "./paths.ts";
import { createTransport } from "./transport.ts";
import { watchEvents, withoutBallast } from "./watch-stream.ts";

const FIELD_MANAGER = "longshore";

export interface KubeOptions {
  /** Deadline of everything but lists and watches; default 15,000. */
  readonly deadlineMs?: number;
  /** After how long the server ends a watch; one that goes on for `silenceMs` longer is given up. Short, because it bounds how long a dead connection stays unnoticed. Default 60. */
  readonly watchSeconds?: number;
  /** Default 10,000. */
  readonly silenceMs?: number;
  /** Spreads the watches' ends; in [0, 1). */
  readonly random: () => number;
}

const LIST_DEADLINE_MS = 60_000;

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
});
const objectSchema = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

/** The Kubernetes API over HTTP. It keeps no state but its connections, and repeats nothing that failed. */
export function createKube(
  access: Access,
  { deadlineMs = 15_000, watchSeconds = 60, silenceMs = 10_000, random }: KubeOptions,
): KubePort & Disposable {
  const transport = createTransport(access);

  const object = <T extends KubeObject>(answer: unknown): T => {
    const parsed = objectSchema.safeParse(answer);
    if (!parsed.success) throw new KubeError(0, "Unreadable", "the API server answered with what is no object");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what the resource holds; the API server has checked it
    return withoutBallast(parsed.data) as unknown as T;
  };

  async function* watch<T extends KubeObject>(resource: Resource, selection: Selection, resourceVersion: string, signal: AbortSignal) {
    const timeoutSeconds = Math.ceil(watchSeconds * (1 - 0.25 * random()));
    const query = { ...selectors(selection), watch: true, allowWatchBookmarks: true, timeoutSeconds, resourceVersion };
    const path = withQuery(pathOf(resource, selection.namespace), query);
    const silence = AbortSignal.timeout(timeoutSeconds * 1_000 + silenceMs);
    const stream = await transport.open({ method: "GET", path, signal: AbortSignal.any([signal, silence]) });
    yield { type: "BOOKMARK", resourceVersion } as const;
    yield* watchEvents<T>(stream, `watch ${resource.plural}`);
  }

  return {
    watch,
    async list<T extends KubeObject>(
      resource: Resource,
      selection: Selection,
      page: { limit: number; continue?: string },
      signal: AbortSignal,
    ) {
      const path = withQuery(pathOf(resource, selection.namespace), { ...selectors(selection), ...page });
      const parsed = listSchema.safeParse(await transport.call({ method: "GET", path, signal }, LIST_DEADLINE_MS));
      if (!parsed.success) throw new KubeError(0, "Unreadable", `list ${resource.plural}: the API server answered with what is no list`);
      const { metadata, items } = parsed.data;
      const { group, version, kind } = resource;
      const apiVersion = group === "" ? version : `${group}/${version}`;
      // Items of a list carry neither apiVersion nor kind; objects of a watch do.
      const whole = items.map((item) => object<T>({ ...item, apiVersion, kind }));
      const result: Page<T> = { items: whole, resourceVersion: metadata.resourceVersion };
      return metadata.continue === undefined || metadata.continue === "" ? result : { ...result, continue: metadata.continue };
    },
    async get<T extends KubeObject>(resource: Resource, namespace: string | undefined, name: string) {
      try {
        return object<T>(await transport.call({ method: "GET", path: pathOf(resource, namespace, name) }, deadlineMs));
      } catch (error) {
        if (isKubeError(error, 404)) return undefined;
        throw error;
      }
    },
    async create<T extends KubeObject>(resource: Resource, body: T) {
      const path = withQuery(pathOf(resource, body.metadata.namespace), { fieldManager: FIELD_MANAGER });
      return object<T>(await transport.call({ method: "POST", path, body }, deadlineMs));
    },
    async apply<T extends KubeObject>(resource: Resource, body: KubeObject, subresource?: "status") {
      const { namespace, name } = body.metadata;
      const path = withQuery(pathOf(resource, namespace, name, subresource), { fieldManager: FIELD_MANAGER, force: true });
      return object<T>(await transport.call({ method: "PATCH", path, body, contentType: "application/apply-patch+yaml" }, deadlineMs));
    },
    async patch<T extends KubeObject>(resource: Resource, namespace: string | undefined, name: string, body: object, subresource?: string) {
      const path = withQuery(pathOf(resource, namespace, name, subresource), { fieldManager: FIELD_MANAGER });
      return object<T>(await transport.call({ method: "PATCH", path, body, contentType: "application/merge-patch+json" }, deadlineMs));
    },
    async delete(resource, namespace, name, { uid, propagation = "Background" } = {}) {
      const preconditions = uid === undefined ? {} : { preconditions: { uid } };
      const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: propagation, ...preconditions };
      try {
        await transport.call({ method: "DELETE", path: pathOf(resource, namespace, name), body }, deadlineMs);
      } catch (error) {
        if (!isKubeError(error, 404)) throw error;
      }
    },
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  };
}

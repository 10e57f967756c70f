import { defineTask, z } from "longshore";
import { MODULE } from "./_signatures.ts";

const anything = z.unknown();

export const ids = defineTask({
  name: `${MODULE}.ids`,
  kwargs: z.object({ i: anything }),
  run: ({ i }, { request }) => [request.rootId, request.parentId ?? null, i],
});
export const collectIds = defineTask({
  name: `${MODULE}.collect_ids`,
  kwargs: z.object({ res: anything, i: anything }),
  run: ({ res, i }, { request }) => [res, [request.rootId, request.parentId ?? null, i]],
});
export const returnPriority = defineTask({
  name: `${MODULE}.return_priority`,
  args: z.array(anything),
  run: (_, { request }) => `Priority: ${request.deliveryInfo.priority}`,
});
export const returnEta = defineTask({
  name: `${MODULE}.return_request_eta`,
  run: (_, { request }) => request.eta?.toISOString().replace("Z", "+00:00") ?? null,
});
export const returnProperties = defineTask({
  name: `${MODULE}.return_properties`,
  run: (_, { request }) => ({ app_id: request.properties.appId ?? null, correlation_id: request.properties.correlationId ?? null }),
});
const shown = ({ hard, soft }: { readonly hard?: number; readonly soft?: number }) => ({
  time_limit: hard ?? null,
  soft_time_limit: soft ?? null,
});
export const returnLimits = defineTask({
  name: `${MODULE}.return_request_time_limits`,
  run: (_, { request }) => shown(request.timeLimit),
});
export const declaredLimits = defineTask({
  name: `${MODULE}.task_with_declared_time_limits`,
  timeLimit: 60,
  softTimeLimit: 45,
  run: (_, { request }) => shown(request.timeLimit),
});
export const wrongLimits = defineTask({
  name: `${MODULE}.soft_time_limit_must_exceed_time_limit`,
  timeLimit: 1,
  softTimeLimit: 2,
  run: () => null,
});

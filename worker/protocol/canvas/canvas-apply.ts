import { isMap } from "../json/is-value.ts";
import type { Value } from "../json/value.ts";
import { chainSteps, chordParts, countParts, isChain, isChord, isGroup, unrollGroup, withOptions } from "./canvas-chain.ts";
import { type CanvasContext, type CanvasPlan, type CanvasStep, mergeArgs, mergeOptions, type Options } from "./canvas-plan.ts";
import { outgoing } from "./canvas-task.ts";
import { asSignatures, isSignature, type Signature } from "./signature.ts";

interface Applied {
  readonly steps: readonly CanvasStep[];
  readonly id: string;
  /** `AsyncResult.as_tuple()` or `GroupResult.as_tuple()`. */
  readonly result: Value;
}

/** As `signature.apply_async(args, **options)` of celery/canvas.py, but only planned. `seed` makes the ids it needs its own. */
export function applySignature(
  signature: Signature,
  args: readonly Value[],
  given: Options,
  context: CanvasContext,
  seed: string,
): CanvasPlan {
  const { steps, result, id } = apply(signature, args, given, context, seed);
  return { steps, children: [result], id };
}

function apply(signature: Signature, args: readonly Value[], given: Options, context: CanvasContext, seed: string): Applied {
  if (isChain(signature)) return applyChain(signature, args, given, context, seed);
  if (isGroup(signature)) return applyGroup(unrollGroup(signature), args, mergeOptions(signature, given), context, seed);
  if (isChord(signature)) return applyChord(signature, args, given, context, seed);
  if (signature.subtask_type === "chunks" || signature.task === "celery.chunks")
    return applyGroup(chunks(signature), [], mergeOptions(signature, given), context, seed);
  const id = String(signature.options?.["task_id"] ?? given["task_id"] ?? context.newId(seed));
  const { task, route } = outgoing(signature, mergeArgs(signature, args), { ...mergeOptions(signature, given), task_id: id }, context);
  return { steps: [{ step: "publish", task, route }], id, result: [[id, null], null] };
}

function applyChain(chain: Signature, args: readonly Value[], given: Options, context: CanvasContext, seed: string): Applied {
  const { task_id, group_id, chord, group_index, link, link_error, chain: after, ...options } = mergeOptions(chain, given);
  const errbacks = asSignatures(link_error) ?? [];
  const steps = chainSteps(chain, mergeArgs(chain, args), { task_id, group_id, chord, group_index }, errbacks, (at) =>
    context.newId(`${seed}:${at}`),
  );
  const [first, ...later] = steps.toReversed();
  if (first === undefined) return nothing(context.newId(seed));
  let rest = later.toReversed();
  const links = asSignatures(link) ?? [];
  if (links.length > 0) {
    const end = rest[0] ?? first;
    const linked = withOptions(end, { link: [...(asSignatures(end.options?.["link"]) ?? []), ...links] });
    if (rest.length === 0)
      return apply(linked, [], { ...options, ...(after === undefined ? {} : { chain: after }) }, context, `${seed}:first`);
    rest = [linked, ...rest.slice(1)];
  }
  // What comes after this chain runs last, so it stands first.
  const all = [...(asSignatures(after) ?? []), ...rest];
  const applied = apply(first, [], { ...options, chain: all }, context, `${seed}:first`);
  const lastId = rest[0]?.options?.["task_id"];
  return typeof lastId === "string" ? { steps: applied.steps, id: lastId, result: [[lastId, null], null] } : applied;
}

function applyGroup(tasks: readonly Signature[], args: readonly Value[], options: Options, context: CanvasContext, seed: string): Applied {
  const { task_id, ...shared } = options;
  const groupId = String(task_id ?? context.newId(`${seed}:group`));
  const frozen = tasks.map((task, index) => freeze(task, groupId, index, context.newId(`${seed}:${index}`)));
  const own = frozen.map((task) => task.options?.["chord"]).find((chord) => isSignature(chord));
  const body = shared["chord"] ?? own;
  const steps: CanvasStep[] = [];
  if (isSignature(body) && frozen.length > 0) {
    steps.push({ step: "chord-size", groupId, size: frozen.reduce((sum, task) => sum + countParts(task), 0) });
  }
  const results: Value[] = [];
  for (const [index, task] of frozen.entries()) {
    const part = apply(task, args, { ...shared, ...(body === undefined ? {} : { chord: body }) }, context, `${seed}:${index}`);
    steps.push(...part.steps);
    results.push(part.result);
  }
  return { steps, id: groupId, result: [[groupId, null], results] };
}

function applyChord(signature: Signature, args: readonly Value[], given: Options, context: CanvasContext, seed: string): Applied {
  const { header, body: given_body, groupId: frozenId } = chordParts(signature);
  if (given_body === undefined) return nothing(context.newId(seed));
  const { task_id, countdown, eta, ...options } = mergeOptions(signature, given);
  const groupId = frozenId ?? context.newId(`${seed}:group`);
  const bodyId = given_body.options?.["task_id"] ?? task_id ?? context.newId(`${seed}:body`);
  const body = withOptions(given_body, {
    ...options,
    ...linksOf(given_body, options),
    parent_id: undefined,
    reply_to: given_body.options?.["reply_to"] ?? context.replyTo,
    task_id: bodyId,
    group_id: given_body.options?.["group_id"] ?? options["group_id"] ?? groupId,
  });
  if (header.length === 0) {
    const applied = apply(body, [[]], {}, context, `${seed}:body`);
    return { steps: applied.steps, id: String(bodyId), result: [[String(bodyId), [[groupId, null], []]], null] };
  }
  // Callbacks and the chord's own place in what surrounds it belong to the body.
  const forHeader = Object.fromEntries(
    Object.entries({ ...options, countdown: countdown ?? null, eta: eta ?? null }).filter(([name]) => !OF_BODY.has(name)),
  );
  const extra = signature.kwargs?.["kwargs"];
  const tasks = header.map((task) =>
    withOptions(isMap(extra) && Object.keys(extra).length > 0 ? { ...task, kwargs: { ...task.kwargs, ...extra } } : task, { chord: body }),
  );
  const applied = applyGroup(tasks, mergeArgs(signature, args), { ...forHeader, task_id: groupId, chord: body }, context, seed);
  const nested = header.some((task) => isGroup(task) || (isChain(task) && endsInGroup(task)));
  const saved: readonly CanvasStep[] = nested ? [{ step: "save-group", groupId, result: applied.result }] : [];
  // Celery hands the header's result to the parent as its child, and the body's to the caller.
  return { steps: [...saved, ...applied.steps], id: String(bodyId), result: applied.result };
}

/** Options of a chord that its header never gets. celery/canvas.py `_chord.run` */
const OF_BODY: ReadonlySet<string> = new Set(["chain", "chord", "link", "link_error", "group_id", "group_index", "replaced_task_nesting"]);

/** The body's own callbacks, and those that were linked to the chord. */
function linksOf(body: Signature, options: Options): { readonly [name: string]: Value | undefined } {
  const both = (name: string): Value | undefined => {
    const all = [...(asSignatures(body.options?.[name]) ?? []), ...(asSignatures(options[name]) ?? [])];
    return all.length > 0 ? all : undefined;
  };
  return { link: both("link"), link_error: both("link_error") };
}

/** What an empty chain comes to: a result that nobody will write. */
function nothing(id: string): Applied {
  return { steps: [], id, result: [[id, null], null] };
}

/** Gives a task of a group its id, group and place, where it has none. */
function freeze(task: Signature, groupId: string, index: number, id: string): Signature {
  const { task_id = id, group_id = groupId } = task.options ?? {};
  return withOptions(task, { task_id, group_id, group_index: index });
}

function endsInGroup(chain: Signature): boolean {
  const last = asSignatures(chain.kwargs?.["tasks"])?.at(-1);
  return last !== undefined && (isGroup(last) || (isChain(last) && endsInGroup(last)));
}

/** `celery.chunks` is a group of `celery.starmap`s of n items each. */
function chunks(signature: Signature): readonly Signature[] {
  const { task, it, n } = signature.kwargs ?? {};
  const items: readonly Value[] = Array.isArray(it) ? it : [];
  const size = typeof n === "number" && n >= 1 ? Math.trunc(n) : 1;
  const parts = Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
  return parts.map((part) => ({
    task: "celery.starmap",
    args: [],
    kwargs: { task: task ?? null, it: part },
    options: {},
    subtask_type: "starmap",
    immutable: true,
  }));
}

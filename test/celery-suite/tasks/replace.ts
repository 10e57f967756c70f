import { chain, defineTask, group, immutable, type Signature, signature, z } from "longshore";
import { redis } from "./_redis.ts";
import { MODULE, s } from "./_signatures.ts";

const anything = z.array(z.unknown());
const pair = z.object({ x: z.unknown(), y: z.unknown() });

export const addReplacedWithChain = defineTask({
  name: `${MODULE}.add_replaced_with_chain`,
  kwargs: pair,
  run: ({ x, y }, { replace }) => replace(chain(s("add", x, y), s("identity"))),
});
export const recordNesting = defineTask({
  name: `${MODULE}.record_replaced_task_nesting`,
  kwargs: z.object({ replacements: z.number(), nesting: z.array(z.number()).default([]) }),
  run({ replacements, nesting }, { replace, request }) {
    const seen = [...nesting, request.replacedTaskNesting];
    return replacements === 0 ? seen : replace(s("record_replaced_task_nesting", replacements - 1, seen));
  },
});

const echo = (message: string | null | undefined): Signature => (message == null ? s("redis_echo") : immutable(s("redis_echo", message)));
const linked = { args: anything, kwargs: z.object({ link_msg: z.string().nullish() }) } as const;
export const replaceWithChain = defineTask({
  name: `${MODULE}.replace_with_chain`,
  ...linked,
  run: ({ args, kwargs }, { replace }) =>
    replace({ ...chain(s("identity", ...args), s("identity")), options: { link: [echo(kwargs.link_msg)] } }),
});
export const replaceWithChainWhichRaises = defineTask({
  name: `${MODULE}.replace_with_chain_which_raises`,
  ...linked,
  run: ({ args, kwargs }, { replace }) =>
    replace({ ...chain(s("identity", ...args), s("raise_error")), options: { link_error: [echo(kwargs.link_msg)] } }),
});
export const replaceWithEmptyChain = defineTask({
  name: `${MODULE}.replace_with_empty_chain`,
  args: anything,
  run: (_, { replace }) => replace(chain()),
});
export const replaceWithChainOfGroup = defineTask({
  name: `${MODULE}.replace_with_chain_which_contains_a_group`,
  run: (_, { replace }) => replace(chain(s("add", 1, 2), group(s("add", 1), s("add", 1)))),
});
export const addToAll = defineTask({
  name: `${MODULE}.add_to_all`,
  kwargs: z.object({ nums: z.array(z.unknown()), val: z.unknown() }),
  run: ({ nums, val }, { replace }) => replace(group(...nums.map((num) => s("add", num, val)))),
});
export const failReplaced = defineTask({
  name: `${MODULE}.fail_replaced`,
  args: anything,
  run: (args, { replace }) => replace(immutable(s("fail", ...args))),
});

/** Each replaces itself by the next one in, and says so on its way in and out. */
const secondOrder = (level: 1 | 2, label: string, inner: Signature) =>
  defineTask({
    name: `${MODULE}.second_order_replace${level}`,
    kwargs: z.object({ state: z.boolean().default(false) }),
    async run({ state }, { replace }) {
      await redis.rpush("redis-echo", `${state ? "Out" : "In"} ${label}`);
      if (!state) replace(chain(inner, immutable(signature(`${MODULE}.second_order_replace${level}`, [], { state: true }))));
    },
  });
export const secondOrderReplace1 = secondOrder(1, "A", s("second_order_replace2"));
export const secondOrderReplace2 = secondOrder(2, "B", s("redis_echo", "In/Out C"));

export const replaceWithStamped = defineTask({
  name: `${MODULE}.replace_with_stamped_task`,
  kwargs: z.object({ replace_with: z.unknown().optional() }),
  run({ replace_with }, { replace }) {
    const target = replace_with == null ? s("replaced_with_me") : (replace_with as Signature);
    const stamp = { stamped_headers: ["StampOnReplace"], StampOnReplace: "This is the replaced task" };
    return replace({ ...target, options: { ...target.options, ...stamp } });
  },
});

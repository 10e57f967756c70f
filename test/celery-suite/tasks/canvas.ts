import { chain, chord, defineTask, group, type Signature, z } from "longshore";
import { MODULE, s } from "./_signatures.ts";

const pair = z.object({ x: z.unknown(), y: z.unknown() });
const list = z.object({ nums: z.array(z.unknown()), val: z.unknown() });

export const chainAdd = defineTask({
  name: `${MODULE}.chain_add`,
  kwargs: pair,
  run: ({ x, y }, { send }) => void send(chain(s("add", x, x), s("add", y))),
});
export const chordAdd = defineTask({
  name: `${MODULE}.chord_add`,
  kwargs: pair,
  run: ({ x, y }, { send }) => void send(chord([s("add", x, x)], s("add", y))),
});
export const addToAllToChord = defineTask({
  name: `${MODULE}.add_to_all_to_chord`,
  kwargs: list,
  run({ nums, val }, { addToChord }) {
    for (const num of nums) addToChord(s("add", num, val));
    return 0;
  },
});
export const addChordToChord = defineTask({
  name: `${MODULE}.add_chord_to_chord`,
  kwargs: list,
  run({ nums, val }, { addToChord }) {
    addToChord(
      chord(
        nums.map((num) => s("add", num, val)),
        s("tsum"),
      ),
    );
    return 0;
  },
});
export const buildChain = defineTask({
  name: `${MODULE}.build_chain_inside_task`,
  run: (_, { send }) => send(chain(s("add", 1, 1), s("add", 2), group(s("add", 3), s("add", 4)), s("add", 5))),
});

const one = s("add");
const NESTED: Readonly<Record<string, Signature>> = {
  chain_chain: chain(chain(one)),
  chain_group: chain(group(one)),
  chain_chord: chain(chord([one], one)),
  group_chain: group(chain(one)),
  group_group: group(group(one)),
  group_chord: group(chord([one], one)),
  chord_chain: chord([chain(one)], one),
  chord_group: chord([group(one)], one),
  chord_chord: chord([chord([one], one)], one),
};
const nested = (shape: keyof typeof NESTED) => defineTask({ name: `${MODULE}.return_nested_signature_${shape}`, run: () => NESTED[shape] });
export const chainChain = nested("chain_chain");
export const chainGroup = nested("chain_group");
export const chainChord = nested("chain_chord");
export const groupChain = nested("group_chain");
export const groupGroup = nested("group_group");
export const groupChord = nested("group_chord");
export const chordChain = nested("chord_chain");
export const chordGroup = nested("chord_group");
export const chordChord = nested("chord_chord");

/** Whether a value is a signature, down to the last one in it. */
const signatureSchema = z.looseObject({
  task: z.string().min(1),
  args: z.array(z.unknown()),
  kwargs: z.looseObject({
    get tasks() {
      return z.array(signatureSchema).optional();
    },
    get body() {
      return signatureSchema.optional();
    },
  }),
});
export const rebuildSignature = defineTask({
  name: `${MODULE}.rebuild_signature`,
  kwargs: z.object({ sig_dict: signatureSchema }),
  run: () => null,
});

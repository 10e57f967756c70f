import { defineTask, z } from "longshore";
import { plus } from "./_plus.ts";
import { MODULE, s } from "./_signatures.ts";

const pair = z.object({ x: z.unknown(), y: z.unknown() });
const numbers = z.object({ x: z.number(), y: z.number() });
const sum = (list: readonly number[]): number => list.reduce((total, number) => total + number, 0);
const nested = z.array(z.union([z.number(), z.array(z.number())]));

export const add = defineTask({
  name: `${MODULE}.add`,
  kwargs: pair.extend({ z: z.unknown().optional() }),
  run: ({ x, y, z }) => (z ? plus(plus(x, y), z) : plus(x, y)),
});
export const mul = defineTask({ name: `${MODULE}.mul`, kwargs: numbers, run: ({ x, y }) => x * y });
export const addNotTyped = defineTask({ name: `${MODULE}.add_not_typed`, kwargs: numbers.strict(), run: ({ x, y }) => x + y });
export const addIgnoreResult = defineTask({
  name: `${MODULE}.add_ignore_result`,
  ignoreResult: true,
  kwargs: numbers,
  run: ({ x, y }) => x + y,
});
export const addWithResult = defineTask({ name: `${MODULE}.add_with_result`, kwargs: numbers, run: ({ x, y }) => x + y });
export const tsum = defineTask({ name: `${MODULE}.tsum`, kwargs: z.object({ nums: z.array(z.number()) }), run: ({ nums }) => sum(nums) });
export const xsum = defineTask({
  name: `${MODULE}.xsum`,
  kwargs: z.object({ nums: nested }),
  run: ({ nums }) => sum(nums.map((item) => (typeof item === "number" ? item : sum(item)))),
});

/** Pydantic's models are zod's schemas here. */
const model = z.object({ data: numbers });
const addModel = (name: string) =>
  defineTask({ name: `${MODULE}.${name}`, kwargs: model, run: ({ data }) => ({ result: data.x + data.y }) });
export const addPydantic = addModel("add_pydantic");
export const addPydanticStrings = addModel("add_pydantic_string_annotations");

export const addReplaced = defineTask({
  name: `${MODULE}.add_replaced`,
  kwargs: pair,
  run: ({ x, y }, { replace }) => replace(s("add", x, y)),
});

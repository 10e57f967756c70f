import { expect, test } from "vitest";
import * as z from "zod";
import { bindArguments } from "./bind-arguments.ts";

const kwargs = z.object({ x: z.number(), y: z.number().default(2) });
const args = z.tuple([z.string()]);
const cases: readonly [why: string, got: ReturnType<typeof bindArguments>, want: object][] = [
  [
    "neither schema takes all as it is",
    bindArguments("t", undefined, undefined, [1], { a: 1 }),
    { input: { args: [1], kwargs: { a: 1 } } },
  ],
  ["kwargs by name", bindArguments("t", undefined, kwargs, [], { x: 1 }), { input: { x: 1, y: 2 } }],
  ["kwargs by position", bindArguments("t", undefined, kwargs, [1, 5], {}), { input: { x: 1, y: 5 } }],
  ["both ways at once", bindArguments("t", undefined, kwargs, [1], { x: 2 }), { problem: "t: got multiple values for argument 'x'" }],
  ["too many", bindArguments("t", undefined, kwargs, [1, 2, 3], {}), { problem: "t: takes 2 positional arguments but 3 were given" }],
  [
    "a missing field is named",
    bindArguments("t", undefined, kwargs, [], {}),
    { problem: "t: kwargs.x: Invalid input: expected number, received undefined" },
  ],
  ["args alone", bindArguments("t", args, undefined, ["a"], {}), { input: ["a"] }],
  [
    "args alone take no keyword",
    bindArguments("t", args, undefined, ["a"], { b: 1 }),
    { problem: "t: got an unexpected keyword argument 'b'" },
  ],
  ["both schemas", bindArguments("t", args, kwargs, ["a"], { x: 1 }), { input: { args: ["a"], kwargs: { x: 1, y: 2 } } }],
  [
    "the place of a wrong positional one",
    bindArguments("t", args, kwargs, [1], { x: 1 }),
    { problem: "t: args.0: Invalid input: expected string, received number" },
  ],
];
test.for(cases)("%s", ([, got, want]) => expect(got).toEqual(want));

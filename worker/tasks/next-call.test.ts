import { expect, test } from "vitest";
import { nextCall } from "./next-call.ts";

const names = ["foo", "bar", "label"];
const cases: readonly [why: string, got: ReturnType<typeof nextCall>, want: unknown][] = [
  ["nothing given changes nothing", nextCall(names, { args: [1], kwargs: {} }, {}), undefined],
  ["both given replace both", nextCall(names, { args: [1], kwargs: { label: "x" } }, { args: [2], kwargs: {} }), { args: [2], kwargs: {} }],
  [
    "positional ones take the place of the keywords that they name",
    nextCall(names, { args: [], kwargs: { foo: 1, bar: 2, label: "kept" } }, { args: [5, 6] }),
    { args: [5, 6], kwargs: { label: "kept" } },
  ],
  [
    "keyword ones take the place of the positional ones that they name, null too",
    nextCall(names, { args: [1, 2], kwargs: {} }, { kwargs: { foo: null, label: "new" } }),
    { args: [null, 2], kwargs: { label: "new" } },
  ],
  ["positions without a name stay", nextCall([], { args: [1, 2], kwargs: {} }, { kwargs: { a: 1 } }), { args: [1, 2], kwargs: { a: 1 } }],
];
test.for(cases)("%s", ([, got, want]) => expect(got).toEqual(want));

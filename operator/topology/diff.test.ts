import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Arguments, BrokerObject, Declared } from "../adapters/ports.ts";
import { type Claim, claimTo } from "./claim.ts";
import { type Actual, differ, inOrder, type Operation, type Outcome, type Settled } from "./diff.ts";
import { digestOf, identityOf, targetKey, targetOf } from "./identity.ts";

const diff = (claims: readonly Claim[], rivals: readonly Claim[], there: Actual): ReadonlyMap<string, Outcome> =>
  differ(claims, rivals)(there);
const queue = (name: string, args: Arguments = {}): Declared => ({
  type: "queue",
  name,
  kind: "classic",
  durable: true,
  autoDelete: false,
  exclusive: false,
  arguments: args,
});
const exchange = (name: string, args: Arguments = {}): Declared => ({
  type: "exchange",
  name,
  kind: "direct",
  durable: true,
  autoDelete: false,
  internal: false,
  arguments: args,
});
const binding = (source: string, destination: string, routingKey = "", args: Arguments = {}): Declared => ({
  type: "binding",
  source,
  destinationType: "queue",
  destination,
  routingKey,
  arguments: args,
});
const claim = (
  uid: string,
  objects: readonly [BrokerObject, ...BrokerObject[]],
  owned: readonly BrokerObject[] = [],
  createdAt = "2026-01-01",
): Claim =>
  claimTo(
    { kind: "Queue", namespace: "n", name: uid, uid, createdAt },
    objects,
    new Set(owned.map((object) => digestOf(identityOf(object)))),
  );
const actual = (...objects: readonly BrokerObject[]): Actual => Map.groupBy(objects, (object) => targetKey(targetOf(object)));
const declare = (object: BrokerObject): Operation => ({ op: "declare", object });
const remove = (object: BrokerObject): Operation => ({ op: "remove", object });

const [orders, shop, bound] = [queue("orders", { "x-max-length": 5 }), exchange("shop"), binding("shop", "orders", "k")];

const cases: readonly [why: string, claim: Claim, there: Actual, want: Outcome][] = [
  ["nothing there: all is declared", claim("a", [orders]), actual(), { state: "changing", operations: [declare(orders)] }],
  ["the same there already: adopted as it is", claim("a", [orders]), actual(orders), { state: "in-sync" }],
  [
    "bindings that are missing are added",
    claim("a", [orders, bound]),
    actual(orders, shop),
    { state: "changing", operations: [declare(bound)] },
  ],
  [
    "said twice, declared once",
    claim("a", [orders, bound, bound]),
    actual(orders, shop),
    { state: "changing", operations: [declare(bound)] },
  ],
  ["somebody else's binding stays", claim("a", [orders]), actual(orders, shop, bound), { state: "in-sync" }],
  [
    "our binding that is not wanted any more goes",
    claim("a", [orders], [bound]),
    actual(orders, shop, bound),
    { state: "changing", operations: [remove(bound)] },
  ],
  ["our binding that is gone already is nothing to do", claim("a", [orders], [bound]), actual(orders, shop), { state: "in-sync" }],
  [
    "another argument is another binding",
    claim("a", [orders, binding("shop", "orders", "k", { n: 1 })], [bound]),
    actual(orders, shop, bound),
    { state: "changing", operations: [declare(binding("shop", "orders", "k", { n: 1 })), remove(bound)] },
  ],
  [
    "a number is not the same as its text",
    claim("a", [queue("orders", { "x-max-length": "5" })]),
    actual(orders),
    {
      state: "differs",
      object: queue("orders", { "x-max-length": "5" }),
      differences: [{ field: "x-max-length", broker: "5", spec: '"5"' }],
    },
  ],
  [
    "what differs is left alone, its bindings too",
    claim("a", [queue("orders", { b: true }), bound]),
    actual({ ...orders, durable: false } as BrokerObject, shop),
    {
      state: "differs",
      object: queue("orders", { b: true }),
      differences: [
        { field: "durable", broker: "false", spec: "true" },
        { field: "b", broker: "nothing", spec: "true" },
        { field: "x-max-length", broker: "5", spec: "nothing" },
      ],
    },
  ],
  [
    "a source that nobody declares blocks its binding and nothing else",
    claim("a", [orders, bound, binding("", "orders", "k")]),
    actual(),
    { state: "blocked", operations: [declare(orders), declare(binding("", "orders", "k"))], missing: [{ type: "exchange", name: "shop" }] },
  ],
];
test.for(cases)("%s", ([, one, there, want]) => expect(diff([one], [], there).get("a")).toEqual(want));

test("a source that another claim declares in the same pass does not block", () => {
  expect(diff([claim("a", [orders, bound]), claim("x", [shop])], [], actual()).get("a")).toMatchObject({ state: "changing" });
});

describe("two that want the same", () => {
  const [older, younger] = [claim("old", [orders], [], "2026-01-01"), claim("young", [queue("orders")], [], "2026-01-02")];
  test("the oldest wins, and the other says who", () => {
    const outcomes = diff([younger, older], [], actual());
    expect(outcomes.get("old")).toMatchObject({ state: "changing" });
    expect(outcomes.get("young")).toEqual({ state: "conflict", winner: older.owner, object: queue("orders") });
  });
  test("a rival wins without an outcome", () => {
    const outcomes = diff([younger], [older], actual());
    expect([...outcomes]).toEqual([["young", { state: "conflict", winner: older.owner, object: queue("orders") }]]);
  });
  test("of the same second the one whose name comes first, however they are ordered", () => {
    const [a, b] = [claim("a", [orders]), claim("b", [orders])];
    for (const claims of [
      [a, b],
      [b, a],
    ])
      expect(diff(claims, [], actual(orders)).get("b")).toEqual({ state: "conflict", winner: a.owner, object: orders });
  });
  test("an exchange and a queue of one name do not meet", () => {
    expect(diff([claim("a", [queue("same")]), claim("b", [exchange("same")])], [], actual()).get("b")).toMatchObject({ state: "changing" });
  });
});

test("operations come in the order of what needs what, and new bindings before old ones go", () => {
  const groups = inOrder([remove(bound), declare(bound), declare(orders), declare(shop), remove(orders)]);
  expect(groups).toEqual([[declare(shop)], [declare(orders)], [declare(bound)], [remove(bound)], [remove(orders)]]);
});

describe("for any wishes and any broker", () => {
  const name = fc.constantFrom("a", "b", "c");
  const args = fc.constantFrom<Arguments>({}, { n: 1 }, { n: "1" });
  const target = fc.oneof(
    fc.tuple(name, args).map(([n, a]) => queue(n, a)),
    fc.tuple(name, args).map(([n, a]) => exchange(n, a)),
  );
  const bindings = fc.array(fc.record({ source: name, routingKey: fc.constantFrom("", "k"), args }), { maxLength: 4 });
  const into = (one: BrokerObject, list: readonly { source: string; routingKey: string; args: Arguments }[]): readonly BrokerObject[] => {
    const { type, name: destination } = targetOf(one);
    if (type !== "queue" && type !== "exchange") return [];
    return list.map(({ source, routingKey, args: given }) => ({
      type: "binding",
      source,
      destinationType: type,
      destination,
      routingKey,
      arguments: given,
    }));
  };
  const claims = fc
    .array(fc.tuple(target, bindings, bindings), { maxLength: 6 })
    .map((list) =>
      list.map(([one, wanted, owned], n) => claim(`u${n}`, [one, ...into(one, wanted)], into(one, owned), `2026-01-0${n % 3}`)),
    );
  const broker = fc
    .array(fc.tuple(target, bindings), { maxLength: 6 })
    .map((list) => new Map(list.flatMap(([one, foreign]) => [one, ...into(one, foreign)]).map((object) => [identityOf(object), object])));

  /** As a broker would, without its refusals: the plan must not ask for anything that it would refuse. */
  const applied = (objects: ReadonlyMap<string, BrokerObject>, outcomes: ReadonlyMap<string, Outcome>): Map<string, BrokerObject> => {
    const after = new Map(objects);
    const operations = [...outcomes.values()].flatMap((outcome) => ("operations" in outcome ? outcome.operations : []));
    for (const { op, object } of inOrder(operations).flat()) {
      if (op === "remove") after.delete(identityOf(object));
      else {
        if (object.type === "binding") expect(after.has(`exchange/${object.source}`), `source of ${identityOf(object)}`).toBe(true);
        expect(after.has(identityOf(object))).toBe(false);
        after.set(identityOf(object), object);
      }
    }
    return after;
  };

  test("what was compared before, with another broker or beside others, never changes the answer", () => {
    fc.assert(
      fc.property(claims, broker, broker, (wishes, one, other) => {
        // As a look leaves them: what did not change is the same array.
        const [before, late] = [actual(...one.values()), actual(...other.values())];
        const after = new Map([...late].map(([key, found]) => [key, isDeepStrictEqual(before.get(key), found) ? before.get(key)! : found]));
        const settled: Settled = new WeakMap();
        const [some, others] = [wishes.slice(0, 3), wishes.slice(3)];
        differ(some, [], settled)(before);
        const remembering = differ(wishes, [], settled);
        for (const there of [before, after, before]) {
          const fresh = diff(wishes, [], there);
          expect(remembering(there)).toEqual(fresh);
          expect([...remembering(there, others)]).toEqual([...fresh].slice(3));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("after it was applied there is nothing left to do, and what nobody owns is untouched", () => {
    fc.assert(
      fc.property(claims, broker, (wishes, before) => {
        const after = applied(before, diff(wishes, [], actual(...before.values())));
        const again = diff(wishes, [], actual(...after.values()));
        for (const outcome of again.values()) {
          expect(outcome.state).not.toBe("changing");
          if (outcome.state === "blocked") expect(outcome.operations).toEqual([]);
        }
        const owned = new Set(wishes.flatMap((wish) => [...wish.owned]));
        for (const [identity, object] of before) {
          if (after.has(identity)) expect(after.get(identity)).toBe(object);
          else expect(owned.has(digestOf(identity))).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

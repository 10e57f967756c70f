import { expect, test } from "vitest";
import { type Farewell, farewell, givesUp, type Leaving, type Refused } from "./farewell.ts";

const plain: Leaving = {
  policy: "Delete",
  owned: true,
  won: true,
  heir: false,
  broker: "reachable",
  unreachablePolicy: "Wait",
  brokerDeleting: false,
  timeoutMs: 300_000,
  waitedMs: 0,
};
const rows: readonly [why: string, leaving: Partial<Leaving>, want: Farewell][] = [
  ["Delete removes it, whatever it holds", {}, { do: "remove", ifEmpty: false, onlyEqual: false }],
  ["DeleteIfEmpty removes it only when it is empty", { policy: "DeleteIfEmpty" }, { do: "remove", ifEmpty: true, onlyEqual: false }],
  ["Retain leaves it", { policy: "Retain" }, { do: "release" }],
  [
    "what was never written down as its own goes only where it is what the object wants, and holds nothing",
    { owned: false },
    { do: "remove", ifEmpty: true, onlyEqual: true },
  ],
  ["where another object claims it, too, that one finds it by itself", { owned: false, heir: true }, { do: "release" }],
  ["it waits for no broker", { owned: false, broker: "gone" }, { do: "release" }],
  [
    "it does not wait for one that is away either, and says so",
    { owned: false, broker: "unreachable" },
    { do: "release", orphaned: "the broker could not be asked whether it has it" },
  ],
  ["Retain needs no broker", { policy: "Retain", broker: "unreachable" }, { do: "release" }],
  ["what is another object's is not touched", { won: false }, { do: "release" }],
  ["what another object claims, too, is handed over", { heir: true }, { do: "hand-over" }],
  [
    "without a Broker or Secret it goes at once, and says so",
    { broker: "gone" },
    { do: "release", orphaned: "its Broker or the Broker's Secret is gone" },
  ],
  ["what was in a vhost that is not there is gone with it", { broker: "vanished" }, { do: "release" }],
  ["Wait waits for the broker", { broker: "unreachable", waitedMs: 1e9 }, { do: "wait" }],
  [
    "Orphan waits for the timeout",
    { broker: "unreachable", unreachablePolicy: "Orphan", waitedMs: 1_000 },
    { do: "wait", againInMs: 299_000 },
  ],
  [
    "Orphan lets go after it",
    { broker: "unreachable", unreachablePolicy: "Orphan", waitedMs: 300_000 },
    { do: "release", orphaned: "the broker could not be used for 300 s" },
  ],
  [
    "Wait lets go after it, too, when the Broker object is being deleted: nobody expects it back",
    { broker: "unreachable", brokerDeleting: true, waitedMs: 300_000 },
    { do: "release", orphaned: "the broker could not be used for 300 s" },
  ],
];
test.for(rows)("%s", ([, leaving, want]) => expect(farewell({ ...plain, ...leaving })).toEqual(want));

const refused: Refused = { ...plain, deletedMs: 1e9, notEmpty: false };
test.for([
  ["a broker that refuses is asked again and again", {}, false],
  ["with Orphan until the timeout", { unreachablePolicy: "Orphan", deletedMs: 299_999 }, false],
  ["and no longer", { unreachablePolicy: "Orphan", deletedMs: 300_000 }, true],
  ["nor when the Broker object goes, too", { brokerDeleting: true, deletedMs: 300_000 }, true],
  ["what has something in it to be kept is waited for", { unreachablePolicy: "Orphan", brokerDeleting: true, notEmpty: true }, false],
  ["while the Secret is there to look with", { notEmpty: true, waitedMs: 299_999 }, false],
  ["and is left on the broker after that", { notEmpty: true, waitedMs: 300_000 }, true],
] as const)("refused: %s", ([, given, want]) => expect(givesUp({ ...refused, ...given })).toBe(want));

import type { Pod } from "../../kinds/worker-pool/pods.ts";

/** The ReplicaSet controller has this long to take the drained ones, and is watched for so long, ms. */
const TAKES_MS = 2_000;
const WATCH_MS = 10_000;

interface Expectation {
  readonly drained: readonly string[];
  /** Those that should have stayed. */
  readonly others: ReadonlySet<string>;
  readonly at: number;
}

export interface Verdicts {
  /** The scale was lowered for these. */
  expect(drained: readonly string[], pods: readonly Pod[], now: number): void;
  /** Says, once for each, which other pod went while a drained one stayed. */
  check(pods: readonly Pod[], now: number): readonly string[];
}

/** Compares which pods went with which were drained. A wrong one finishes what it runs within its grace period: the second net. */
export function createVerdicts(): Verdicts {
  let expectations: readonly Expectation[] = [];
  return {
    expect(drained, pods, now) {
      const others = new Set(pods.filter(stays).flatMap(({ metadata }) => (drained.includes(metadata.name) ? [] : [metadata.name])));
      expectations = [...expectations, { drained, others, at: now }];
    },
    check(pods, now) {
      if (expectations.length === 0) return [];
      const staying = new Set(pods.filter(stays).map(({ metadata }) => metadata.name));
      const surprises: string[] = [];
      const open: Expectation[] = [];
      for (const expectation of expectations) {
        const { drained, others, at } = expectation;
        const left = drained.filter((pod) => staying.has(pod));
        const wrong = [...others].filter((pod) => !staying.has(pod));
        if (left.length === 0) continue;
        if (wrong.length > 0 && now - at >= TAKES_MS) surprises.push(`${wrong.join(", ")} went instead of ${left.join(", ")}`);
        else if (now - at < WATCH_MS) open.push(expectation);
      }
      expectations = open;
      return surprises;
    },
  };
}

const stays = ({ metadata }: Pod): boolean => metadata.deletionTimestamp === undefined;

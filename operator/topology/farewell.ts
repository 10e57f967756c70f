/** What the object's owner cannot change any more: how the broker is to be left, and what is known of the broker. */
export interface Leaving {
  readonly policy: "Delete" | "Retain" | "DeleteIfEmpty";
  /** Whether it is known that what stands on the broker is this object's. Else it may have died with its operator before that was written, or is foreign. */
  readonly owned: boolean;
  /** Whether the claim to the target is this object's. */
  readonly won: boolean;
  /** Whether another object claims the target, too, and takes it over. */
  readonly heir: boolean;
  /** reachable: operations can be tried. vanished: the vhost is not there, and with it all that was in it. gone: there is no Broker object or no Secret, and nobody can say where the broker was. */
  readonly broker: "reachable" | "unreachable" | "vanished" | "gone";
  readonly unreachablePolicy: "Wait" | "Orphan";
  /** Whether the Broker object itself is being deleted. */
  readonly brokerDeleting: boolean;
  readonly timeoutMs: number;
  /** For how long the object has been deleted AND the broker unreachable, ms. */
  readonly waitedMs: number;
}

/** What is known when the broker answers, and refuses to remove it. */
export type Refused = Pick<Leaving, "unreachablePolicy" | "brokerDeleting" | "timeoutMs" | "waitedMs"> & {
  /** For how long the object has been deleted, ms. */
  readonly deletedMs: number;
  /** It has something in it that it is to keep. */
  readonly notEmpty: boolean;
};

/**
 * Whether an object that the broker refuses to remove is let go all the same, and left there: else a namespace would hang on a login that may not remove,
 * or whose Secret went with the namespace. One that waits to be empty waits for as long as there is a login to look with.
 */
export function givesUp({ unreachablePolicy, brokerDeleting, timeoutMs, waitedMs, deletedMs, notEmpty }: Refused): boolean {
  if (waitedMs > 0) return waitedMs >= timeoutMs;
  return !notEmpty && (unreachablePolicy === "Orphan" || brokerDeleting) && deletedMs >= timeoutMs;
}

export type Farewell =
  /** `onlyEqual`: what is not exactly as the object wants it stays. */
  | { readonly do: "remove"; readonly ifEmpty: boolean; readonly onlyEqual: boolean }
  /** The heir becomes the owner, then our finalizer goes. */
  | { readonly do: "hand-over" }
  /** Our finalizer goes; `orphaned` says that something may have been left on the broker against the user's wish. */
  | { readonly do: "release"; readonly orphaned?: string }
  | { readonly do: "wait"; readonly againInMs?: number };

/**
 * What to do for an object that is being deleted. Never waits for a broker that nobody can find any more, and never for longer than the timeout
 * when the Broker object is going, too: a namespace must not hang.
 */
export function farewell(leaving: Leaving): Farewell {
  const { policy, owned, won, heir, broker, unreachablePolicy, brokerDeleting, timeoutMs, waitedMs } = leaving;
  if (policy === "Retain" || !won) return { do: "release" };
  if (!owned && broker === "unreachable") return { do: "release", orphaned: "the broker could not be asked whether it has it" };
  if (!owned && (heir || broker !== "reachable")) return { do: "release" };
  if (heir) return { do: "hand-over" };
  if (broker === "reachable") return { do: "remove", ifEmpty: !owned || policy === "DeleteIfEmpty", onlyEqual: !owned };
  if (broker === "vanished") return { do: "release" };
  if (broker === "gone") return { do: "release", orphaned: "its Broker or the Broker's Secret is gone" };
  if (unreachablePolicy === "Wait" && !brokerDeleting) return { do: "wait" };
  if (waitedMs < timeoutMs) return { do: "wait", againInMs: timeoutMs - waitedMs };
  return { do: "release", orphaned: `the broker could not be used for ${Math.round(waitedMs / 1_000)} s` };
}

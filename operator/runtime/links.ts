import { errorFields, type Log } from "./log.ts";

/** What is open now, by the text that identifies where it leads. */
export interface Links<Target, Link extends AsyncDisposable> extends AsyncDisposable {
  /** Opens the link when it is not open yet. The same target, or an equal one, gives the same link. */
  to(target: Target): Link;
  /** Closes what was not asked for since the last sweep: a changed login leads elsewhere. */
  sweep(): void;
  all(): readonly Link[];
}

/** Keeps one link per target, however many objects name it. */
export function createLinks<Target extends object, Link extends AsyncDisposable>(
  open: (target: Target) => Link,
  log: Log,
): Links<Target, Link> {
  const byIdentity = new Map<string, { readonly link: Link; used: boolean }>();
  // Targets are told apart by all they say, logins included; the texts stay in memory.
  const identities = new WeakMap<Target, string>();
  const closing = new Set<Promise<void>>();

  const identityOf = (target: Target): string => {
    const known = identities.get(target) ?? JSON.stringify(target);
    identities.set(target, known);
    return known;
  };
  const close = (identity: string, link: Link): void => {
    byIdentity.delete(identity);
    const closed: Promise<void> = Promise.resolve(link[Symbol.asyncDispose]())
      .catch((error: unknown) => log.warn(errorFields(error), "cannot close a connection"))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };

  return {
    to(target) {
      const identity = identityOf(target);
      const entry = byIdentity.get(identity) ?? { link: open(target), used: true };
      entry.used = true;
      byIdentity.set(identity, entry);
      return entry.link;
    },
    sweep() {
      for (const [identity, entry] of byIdentity) {
        if (!entry.used) close(identity, entry.link);
        entry.used = false;
      }
    },
    all: () => [...byIdentity.values()].map(({ link }) => link),
    async [Symbol.asyncDispose]() {
      for (const [identity, { link }] of byIdentity) close(identity, link);
      await Promise.all(closing);
    },
  };
}

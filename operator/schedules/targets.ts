import type { Cache } from "../runtime/cache/cache.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import type { KubeObject, ObjectKey } from "../runtime/object.ts";
import { relateSecrets } from "../runtime/secret-relation.ts";
import type { SecretReader } from "../runtime/secrets.ts";
import { Waiting } from "../runtime/truth/outcome.ts";
import type { Reason } from "../runtime/truth/reasons.ts";
import type { Trouble } from "./entry.ts";

export interface TargetsOptions<T extends KubeObject, Target> {
  readonly cache: Cache<T>;
  readonly secrets: Pick<SecretReader, "read" | "watch">;
  readonly secretsOf: (object: T) => readonly string[];
  /** Reads where an object leads. Throws `Waiting` where nobody can know, `KubeError` where it could not be read. */
  readonly locate: (object: T) => Promise<Target>;
  readonly missing: Reason;
  /** Told whenever one leads elsewhere than before, or somewhere at last. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Where each Broker or each Store object leads, kept fresh. */
export interface Targets<Target> extends Disposable {
  /** The same object while nothing changed. */
  of(namespace: string, name: string): Target | Trouble;
}

const RETRY_MS = 2_000;

/** Reads the Secret of every object now, and again when the object or its Secret changes. Never asks whether anybody answers there. */
export function createTargets<T extends KubeObject, Target extends object>(options: TargetsOptions<T, Target>): Targets<Target> {
  const { cache, locate, missing, onChange, clock, log, signal } = options;
  const known = new Map<ObjectKey, Target | Trouble>();

  const refresh = async (key: ObjectKey): Promise<void> => {
    while (!signal.aborted) {
      const object = cache.get(key);
      if (object === undefined) return void known.delete(key);
      try {
        const found = await locate(object);
        if (JSON.stringify(known.get(key)) === JSON.stringify(found)) return;
        known.set(key, found);
        return onChange();
      } catch (error) {
        if (error instanceof Waiting) return void known.set(key, { reason: error.reason, message: error.message });
        log.warn({ object: key, ...errorFields(error) }, "cannot read where it leads, trying again");
        await sleep(clock, RETRY_MS, signal);
      }
    }
  };

  using stack = new DisposableStack();
  stack.use(
    cache.subscribe(({ key, object, previous }) => {
      // A changed status leads nowhere else.
      if (
        object === undefined ||
        object.metadata.generation !== previous?.metadata.generation ||
        object.metadata.uid !== previous?.metadata.uid
      )
        void refresh(key);
    }),
  );
  stack.use(relateSecrets(cache, options.secrets, options.secretsOf).connect((key) => void refresh(key)));
  const owned = stack.move();
  return {
    of: (namespace, name) =>
      known.get(`${namespace}/${name}`) ??
      (cache.get(`${namespace}/${name}`) === undefined
        ? { reason: missing, message: `${cache.resource.kind} ${name} does not exist in namespace ${namespace}` }
        : { reason: "Pending", message: `${cache.resource.kind} ${name} was not looked at yet` }),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

import type { KubePort, Resource } from "../adapters/ports.ts";
import type { SecretNeed, SecretValues, TopologyObject } from "../kinds/topology-kind.ts";
import type { Clock } from "../runtime/clock.ts";
import { isKubeError } from "../runtime/kube-error.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import { isDeleting } from "../runtime/object.ts";
import type { SecretReader } from "../runtime/secrets.ts";
import type { ConditionInput } from "../runtime/truth/conditions.ts";
import { Waiting } from "../runtime/truth/outcome.ts";
import { newPassword, passwordHash } from "./password.ts";
import { refusal } from "./say.ts";
import { holdOf } from "./standstill.ts";

const SECRETS: Resource = { group: "", version: "v1", plural: "secrets", kind: "Secret" };
/** Tries again after the API failed, ms. */
const AGAIN_MS = 1_000;

type Found = { readonly values: SecretValues } | { readonly lacking: ConditionInput };

/** What objects need of Secrets, read when they need it and again whenever a Secret changes. Values are kept only in what is made of them. */
export interface Materials extends Disposable {
  /** Calls back with what is found, now and after each change, until the object is followed anew or forgotten. */
  follow(id: string, object: TopologyObject, needs: readonly SecretNeed[], found: (what: Found) => void): void;
  forget(id: string): void;
}

interface MaterialsOptions {
  readonly secrets: SecretReader;
  readonly kube: Pick<KubePort, "create">;
  readonly clock: Clock;
  readonly log: Log;
}

export function createMaterials({ secrets, kube, clock, log }: MaterialsOptions): Materials {
  const followed = new Map<string, DisposableStack>();
  const forget = (id: string): void => {
    const stack = followed.get(id);
    followed.delete(id);
    stack?.dispose();
  };

  const valueOf = async (object: TopologyObject, need: SecretNeed): Promise<string> => {
    const { namespace = "", uid = "" } = object.metadata;
    const value = await secrets.read(namespace, need.secret, need.key).catch(async (error: unknown) => {
      const missing = error instanceof Waiting && error.reason === "SecretMissing";
      if (!missing || need.generate === undefined || isDeleting(object) || holdOf(object) !== undefined) throw error;
      const password = newPassword();
      await kube.create(SECRETS, generated(object, need, password));
      return password;
    });
    return need.hashed === true ? passwordHash(value, uid) : value;
  };
  const look = async (object: TopologyObject, needs: readonly SecretNeed[]): Promise<Found> => {
    try {
      const values = await Promise.all(needs.map(async (need) => [need.as, await valueOf(object, need)] as const));
      return { values: new Map(values) };
    } catch (error) {
      if (error instanceof Waiting) return { lacking: refusal(error.reason, error.message) };
      if (isKubeError(error, 403)) return { lacking: refusal("Forbidden", error.message) };
      throw error;
    }
  };

  return {
    forget,
    follow(id, object, needs, found) {
      const before = followed.get(id);
      const stack = new DisposableStack();
      followed.set(id, stack);
      let looks = 0;
      const again = async (): Promise<void> => {
        const turn = ++looks;
        try {
          const what = await look(object, needs);
          if (turn === looks && !stack.disposed) found(what);
        } catch (error) {
          log.warn({ object: id, ...errorFields(error) }, "cannot read what it needs of a Secret, trying again");
          if (!stack.disposed) stack.use(clock.after(AGAIN_MS, () => void again()));
        }
      };
      const { namespace = "" } = object.metadata;
      for (const name of new Set(needs.map(({ secret }) => secret))) stack.use(secrets.watch(namespace, name, () => void again()));
      // After the new watches: a Secret that is needed still goes on being polled, without a first look.
      before?.dispose();
      void again();
    },
    [Symbol.dispose]: () => [...followed.keys()].forEach(forget),
  };
}

/** Belongs to the object, so that it goes with it. */
function generated({ apiVersion, kind, metadata }: TopologyObject, { secret, key, generate }: SecretNeed, password: string): SecretObject {
  const { name, namespace = "", uid = "" } = metadata;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secret, namespace, ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] },
    stringData: { ...generate, [key]: password },
  };
}

interface SecretObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: TopologyObject["metadata"];
  readonly stringData: Readonly<Record<string, string>>;
}

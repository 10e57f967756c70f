import { partOf } from "../adapters/ports.ts";
import { errorFields, type Log } from "../runtime/log.ts";
import type { ObjectKey } from "../runtime/object.ts";
import { type Claim, concernsOf } from "./claim.ts";
import type { Session } from "./link.ts";
import type { Member } from "./members.ts";
import type { Round } from "./round.ts";
import { stays } from "./situation.ts";

/** New objects that are taken beside a pass at once: more of them are faster with the next. */
const AT_ONCE = 32;

/** New objects are done beside the pass that runs, and do not wait for thousands of old ones. */
export interface Beside {
  /** A pass begins. */
  begin(): void;
  /** It knows what the broker has, and works on these; `claims` are all that may want the same as a new object. Twice is once. */
  open(session: Session, members: readonly Member[], claims: () => readonly Claim[]): void;
  /** It ended. */
  end(): void;
  /** Takes those of these that are new since the pass began, as soon as it knows what the broker has; does nothing while none runs. Never throws. */
  take(fresh: Iterable<string>): Promise<void>;
}

export interface BesideOptions {
  readonly key: ObjectKey;
  readonly member: (id: string) => Member | undefined;
  readonly admitted: (member: Member) => boolean;
  readonly round: Round;
  readonly signal: AbortSignal;
  readonly log: Log;
}

interface Running {
  readonly session: Session;
  readonly members: readonly Member[];
  /** Of `members`, made when they are needed first. */
  ids?: ReadonlySet<string>;
  readonly claims: () => readonly Claim[];
  /** Made of `claims` when it is needed first. */
  concerns?: ReturnType<typeof concernsOf>;
  /** Of those that were taken beside this pass. */
  readonly taken: Map<string, Claim>;
}

export function createBeside({ key, member, admitted, round, signal, log }: BesideOptions): Beside {
  let running: Running | undefined;
  let begun: PromiseWithResolvers<void> | undefined;

  return {
    begin() {
      begun = Promise.withResolvers();
    },
    open(session, members, claims) {
      running ??= { session, members, claims, taken: new Map() };
      begun?.resolve();
    },
    end() {
      running = undefined;
      begun?.resolve();
      begun = undefined;
    },
    async take(fresh) {
      await begun?.promise;
      if (running === undefined || !running.session.picture.looked) return;
      const { session, taken } = running;
      running.ids ??= new Set(running.members.map(({ id }) => id));
      const { ids } = running;
      const isNew = (one: Member | undefined): one is Member => one !== undefined && !ids.has(one.id) && stays(one) && admitted(one);
      const members = [...fresh].map(member).filter(isNew).slice(0, AT_ONCE);
      if (members.length === 0) return;
      running.concerns ??= concernsOf(running.claims());
      for (const { id } of members) taken.delete(id);
      const rivals = [...running.concerns(members.map(({ claim }) => claim)), ...taken.values()];
      for (const { id, claim } of members) taken.set(id, claim);
      try {
        // A part that nobody asked about before: what is there already is not declared as if it were not.
        const { picture } = session;
        await picture.look(members.flatMap(({ claim: { targets } }) => targets.filter((target) => !picture.knows(partOf(target)))));
        await round({ session, members, rivals, urgent: () => true, beside: true });
      } catch (error) {
        if (signal.aborted) return;
        // The pass that runs finds out by itself what is the matter, and the next one takes these.
        log.debug({ broker: key, ...errorFields(error) }, "could not take new objects beside a pass");
      }
    },
  };
}

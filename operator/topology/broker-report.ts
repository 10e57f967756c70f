import type { Resource } from "../adapters/ports.ts";
import type { Broker } from "../kinds/broker/schema.ts";
import type { Clock } from "../runtime/clock.ts";
import { isDeleting } from "../runtime/object.ts";
import type { Link, LinkState } from "./link.ts";
import type { Member } from "./members.ts";
import type { Owners } from "./owners.ts";
import type { Reporter } from "./reporter.ts";
import { brokerCondition } from "./situation.ts";

/** Counts of objects are written this often at most, ms: thousands that become Ready one after the other are not thousands of writes. */
const COUNT_MS = 2_000;

/** Says how the broker is, and how many of its objects are ready. Never throws. Resolves with after how many ms to say it again. */
export type BrokerReport = (broker: Broker, state: LinkState, members: readonly Member[]) => Promise<readonly number[]>;

export interface BrokerReportOptions {
  readonly reporter: Reporter;
  readonly owners: Owners;
  readonly resource: Resource;
  readonly link: Pick<Link, "endpoint">;
  readonly clock: Clock;
}

export function createBrokerReport({ reporter, owners, resource, link, clock }: BrokerReportOptions): BrokerReport {
  let counted: { readonly at: number; readonly objects: Counts } | undefined;

  /** After how many ms the counts are to be looked at again. */
  const count = (members: readonly Member[]): readonly number[] => {
    const ready = members.filter(({ object }) => reporter.saidReady(object)).length;
    const objects = { ready, notReady: members.length - ready };
    if (counted?.objects.ready === objects.ready && counted.objects.notReady === objects.notReady) return [];
    const wait = counted === undefined ? 0 : counted.at + COUNT_MS - clock.elapsed();
    if (wait > 0) return [wait];
    counted = { at: clock.elapsed(), objects };
    return [];
  };

  return async (broker, state, members) => {
    const again = count(members);
    const facts = state.up ? state.session.facts : undefined;
    const means = state.up ? [...(state.session.events ? ["events"] : []), ...(state.session.picture.versioned ? ["etag"] : [])] : [];
    const capabilities = facts === undefined ? undefined : [...facts.capabilities, ...means];
    const users = isDeleting(broker) ? members.filter(({ object }) => owners.owns(object)).map(({ id }) => id) : [];
    const waits = await reporter.report(resource, broker, brokerCondition(broker, state, users), {
      endpoint: link.endpoint?.display,
      version: facts?.version ?? broker.status?.version,
      capabilities: capabilities ?? broker.status?.capabilities,
      alarms: facts?.alarms,
      nodes: facts?.nodes ?? broker.status?.nodes,
      deprecatedFeatures: facts?.deprecated ?? broker.status?.deprecatedFeatures,
      clusterId: facts?.cluster ?? broker.status?.clusterId,
      objects: counted?.objects,
    });
    return waits === undefined ? again : [...again, waits];
  };
}

interface Counts {
  readonly ready: number;
  readonly notReady: number;
}

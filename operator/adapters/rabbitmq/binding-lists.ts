import * as z from "zod";
import { inParallel } from "../../runtime/in-parallel.ts";
import { BrokerError, type BrokerObject, type Destination } from "../ports.ts";
import { LIST_DEADLINE_MS, type ManagementApi } from "./http.ts";
import { isCrash, orMissing } from "./http-failure.ts";
import * as objects from "./objects.ts";

const PARALLEL = 8;
const COLUMNS = "columns=source,destination,destination_type,routing_key,arguments";

type Bindings = readonly BrokerObject[];

/**
 * Lists of bindings. RabbitMQ 4.0.5 answers any list with HTTP 500 that holds a binding with arguments and `~` in its routing key: it cannot build its key.
 * One such binding, somebody else's, must not hide the rest of the vhost: then they are listed by source, and where that fails, too, by source and
 * destination. Those between the two alone stay unknown, and none of ours is put there. Failures are `BrokerError`.
 */
export interface BindingLists {
  /** Of the vhost, without those that every queue has to the default exchange. `sources` and `destinations` are asked for only when they are needed. */
  all(sources: () => Promise<readonly string[]>, destinations: () => Promise<readonly Destination[]>): Promise<Bindings>;
  into(target: Destination, sources: () => Promise<readonly string[]>): Promise<Bindings>;
  /** Another list has shown all of them. */
  clear(): void;
  /** Throws `invalid` where it would be unknown afterwards whether it is there. */
  assertListable(binding: BrokerObject & { readonly type: "binding" }): void;
}

export function createBindingLists(api: ManagementApi, vhost: string): BindingLists {
  /** Paths of pairs whose bindings cannot be listed now, with the destination. */
  const unknown = new Map<string, string>();

  const listed = async (path: string): Promise<Bindings> => {
    const list = z
      .array(objects.bindingSchema)
      .parse((await orMissing(api.call({ method: "GET", path, deadlineMs: LIST_DEADLINE_MS }))) ?? []);
    return list.map(objects.bindingFrom).filter((binding) => !objects.isImplicit(binding));
  };
  const otherwise = (path: string, salvage: () => Promise<Bindings>): Promise<Bindings> =>
    listed(path).catch((error: unknown) => {
      if (isCrash(error)) return salvage();
      throw error;
    });
  const between = async (source: string, { type, name }: Destination): Promise<Bindings> => {
    const path = objects.pathOf(vhost, {
      type: "binding",
      source,
      destinationType: type,
      destination: name,
      routingKey: "",
      arguments: {},
    });
    return otherwise(path, async () => {
      unknown.set(path, `${type}/${name}`);
      return [];
    });
  };

  return {
    clear: () => unknown.clear(),
    all(sources, destinations) {
      unknown.clear();
      return otherwise(`/bindings/${encodeURIComponent(vhost)}?${COLUMNS}`, async () =>
        each(await sources(), (source) => {
          const path = `${objects.pathOf(vhost, { type: "exchange", name: source })}/bindings/source`;
          return otherwise(path, async () => each(await destinations(), (target) => between(source, target)));
        }),
      );
    },
    into(target, sources) {
      for (const [path, destination] of unknown) if (destination === `${target.type}/${target.name}`) unknown.delete(path);
      return otherwise(objects.bindingsPathOf(vhost, target), async () => each(await sources(), (source) => between(source, target)));
    },
    assertListable(binding) {
      const { source, destination, routingKey, arguments: given } = binding;
      const refuse = (what: string): never => {
        throw new BrokerError("invalid", "management", `RabbitMQ's management API cannot list ${what}`);
      };
      if (routingKey.includes("~") && Object.keys(given).length > 0)
        refuse(`a binding that has arguments and ~ in its routing key, ${routingKey}: take either of them away`);
      if (unknown.has(objects.pathOf(vhost, binding)))
        refuse(
          `the bindings from exchange ${source} to ${destination}: one of them has arguments and ~ in its routing key; unbind that one`,
        );
    },
  };
}

/** All results, in any order. */
async function each<T>(items: readonly T[], list: (item: T) => Promise<Bindings>): Promise<Bindings> {
  const found: BrokerObject[] = [];
  await inParallel(items, PARALLEL, async (item) => void found.push(...(await list(item))));
  return found;
}

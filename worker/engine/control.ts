import { PIDBOX_EXCHANGE } from "../contract/control.ts";
import { BrokerError, type BrokerPort, type Consumer, type Delivery } from "../ports.ts";
import { answerControl } from "../protocol/control/control-commands.ts";
import type { ControlAction, WorkerSnapshot } from "../protocol/control/control-snapshot.ts";
import { decodeControl, encodeReply, pidboxQueue } from "../protocol/control/remote-control.ts";
import type { Lamport } from "./lamport.ts";

export interface ControlDeps {
  readonly broker: BrokerPort;
  readonly hostname: string;
  readonly lamport: Lamport;
  readonly snapshot: () => WorkerSnapshot;
  /**
   * Carries one action out; the answer waits for it, so that «no longer consuming» is true when it is said. What it returns is why it
   * could not, and is answered as an error.
   */
  readonly act: (action: ControlAction) => Promise<string | undefined>;
  readonly onTrouble: (error: unknown) => void;
}

/** Listens on Celery's remote control and answers. Never throws at what was sent; an answer that cannot be delivered is dropped. */
export function startControl(deps: ControlDeps): Promise<Consumer> {
  const { broker, hostname, lamport } = deps;

  const answer = async (delivery: Delivery): Promise<void> => {
    const request = decodeControl(delivery, hostname);
    if (request.kind === "ignored") return;
    lamport.adjust(request.clock);
    const { reply, actions } = answerControl(request, deps.snapshot());
    const problems: string[] = [];
    for (const action of actions) {
      const problem = await deps.act(action);
      if (problem !== undefined) problems.push(problem);
    }
    const said = problems.length > 0 ? { error: problems.join("; ") } : reply;
    const message = encodeReply(request, hostname, said, lamport.forward());
    if (message === undefined) return;
    try {
      await broker.publish(message);
    } catch (error) {
      // Whoever asked has gone, and its exchange with it.
      if (!(error instanceof BrokerError)) throw error;
    }
  };

  const exchange = { name: PIDBOX_EXCHANGE, type: "fanout", durable: false } as const;
  return broker.subscribe(exchange, pidboxQueue(hostname), "", (delivery) => {
    answer(delivery).catch(deps.onTrouble);
  });
}

import type { MessageProperties } from "../ports.ts";
import type { TaskRequest } from "../tasks/task-request.ts";
import type { Thrown } from "./thrown.ts";

/** What the supervisor tells a child. All of it survives a structured clone; values travel as Celery's JSON, which loses no type. */
export type ToChild =
  | {
      readonly do: "run";
      readonly id: number;
      readonly task: string;
      readonly message: { readonly properties: MessageProperties; readonly body: Uint8Array };
      readonly redelivered: boolean;
      readonly request: Pick<TaskRequest, "deliveryInfo" | "timeLimit">;
      readonly fence: string;
      /** Of the lease, for `commitIn`. */
      readonly key: string;
    }
  | { readonly do: "abort"; readonly id: number; readonly reason: Thrown }
  | { readonly do: "answer"; readonly id: number; readonly ask: number; readonly error?: string };

/** What a task asks of its context, replayed by the supervisor on the real one. */
export type Ask =
  | { readonly call: "effect" }
  | { readonly call: "progress"; readonly details: string }
  | { readonly call: "log"; readonly level: "debug" | "info" | "warn" | "error"; readonly fields: object; readonly sentence: string }
  | { readonly call: "send"; readonly signature: string; readonly args: string }
  | { readonly call: "addToChord"; readonly signature: string }
  | { readonly call: "failInstead"; readonly signature: string; readonly error: string };

/** What a child tells its supervisor. */
export type FromChild =
  | { readonly did: "ready" }
  | { readonly did: "broken"; readonly error: string }
  | { readonly did: "ask"; readonly id: number; readonly ask: number; readonly what: Ask }
  | { readonly did: "return"; readonly id: number; readonly value: string }
  | { readonly did: "throw"; readonly id: number; readonly thrown: Thrown };

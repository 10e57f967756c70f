import { createHash } from "node:crypto";
import type { Script } from "../ports.ts";

type Args = readonly (string | number | Uint8Array)[];
type Evaluate = (script: Script, keys: readonly string[], args: Args) => Promise<unknown>;

interface Call {
  readonly keys: readonly string[];
  readonly args: Args;
  readonly answer: PromiseWithResolvers<unknown>;
}

interface Waiting {
  readonly script: Script;
  readonly calls: Call[];
}

/** Whether both have as many keys and as many arguments. */
const isAlike = (one: Call | undefined, other: Call): boolean =>
  one?.keys.length === other.keys.length && one.args.length === other.args.length;

/** So that no batch keeps Redis from its other clients for longer than a millisecond or two. */
const MAX_CALLS = 64;

/**
 * One script that runs another for many callers: KEYS and ARGV of all calls one after the other, ARGV[1] and [2] say how many of each a
 * call has. Returns one reply per call; what fails for one is that one's error alone.
 */
function many(script: Script): Script {
  const source = `local function one(KEYS, ARGV)
${script.source}
end
local per_key, per_arg = tonumber(ARGV[1]), tonumber(ARGV[2])
local replies = {}
for at = 0, #KEYS / per_key - 1 do
  local keys, args = {}, {}
  for i = 1, per_key do keys[i] = KEYS[at * per_key + i] end
  for i = 1, per_arg do args[i] = ARGV[2 + at * per_arg + i] end
  local ok, reply = pcall(one, keys, args)
  if not ok then
    reply = { err = type(reply) == 'table' and reply.err or tostring(reply) }
  elseif reply == nil then
    reply = false
  end
  replies[at + 1] = reply
end
return replies`;
  return { name: `${script.name}-many`, source, sha: createHash("sha1").update(source).digest("hex") };
}

/**
 * Sends calls of one script that are made in one moment as one command: Redis and this process spend most of a small script's time on the
 * command around it. Not for a cluster, where the keys of several calls lie in several slots. Every call gets its own reply or error.
 */
export function batched(evaluate: Evaluate): Evaluate {
  const waiting = new Map<string, Waiting>();
  const scripts = new Map<string, Script>();

  const send = async ({ script, calls }: Waiting): Promise<void> => {
    const [first] = calls;
    if (first === undefined) return;
    try {
      if (calls.length === 1) return first.answer.resolve(await evaluate(script, first.keys, first.args));
      const together = scripts.get(script.sha) ?? many(script);
      scripts.set(script.sha, together);
      const keys: string[] = [];
      const args: (string | number | Uint8Array)[] = [first.keys.length, first.args.length];
      for (const call of calls) {
        keys.push(...call.keys);
        args.push(...call.args);
      }
      const replies = await evaluate(together, keys, args);
      if (!Array.isArray(replies) || replies.length !== calls.length) throw new Error(`redis: ${together.name} gave no reply per call`);
      for (const [at, { answer }] of calls.entries()) {
        const reply: unknown = replies[at];
        if (reply instanceof Error) answer.reject(reply);
        else answer.resolve(reply);
      }
    } catch (error) {
      for (const { answer } of calls) answer.reject(error);
    }
  };

  return (script, keys, args) => {
    const call: Call = { keys, args, answer: Promise.withResolvers() };
    const batch = waiting.get(script.sha);
    if (batch !== undefined && batch.calls.length < MAX_CALLS && isAlike(batch.calls[0], call)) batch.calls.push(call);
    else {
      const fresh: Waiting = { script, calls: [call] };
      waiting.set(script.sha, fresh);
      queueMicrotask(() => {
        if (waiting.get(script.sha) === fresh) waiting.delete(script.sha);
        void send(fresh);
      });
    }
    return call.answer.promise;
  };
}

import { createHash } from "node:crypto";
import type { Script } from "../ports.ts";

type Args = readonly (string | number | Uint8Array)[];
type Evaluate = (script: Script, keys: readonly string[], args: Args) => Promise<unknown>;
/** What to do about a call that was refused by itself, in a batch that was taken: its reply, or why there is none. */
type Refused = (error: Error, script: Script, keys: readonly string[], args: Args) => Promise<unknown>;

interface Call {
  readonly keys: readonly string[];
  readonly args: Args;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Waiting {
  readonly script: Script;
  readonly calls: Call[];
}

/** Whether both have as many keys and as many arguments. */
const isAlike = (one: Call | undefined, keys: readonly string[], args: Args): boolean =>
  one?.keys.length === keys.length && one.args.length === args.length;

/** So that no batch keeps Redis from its other clients for longer than a millisecond or two. */
const MAX_CALLS = 64;

/**
 * One script that runs another for many callers. KEYS of all calls one after the other; ARGV[1] how many a call has, ARGV[2] a letter per
 * argument of a call: `s` for one that all calls share; then the shared ones, then each call's own. The tables are the same for all calls,
 * which only read them. Returns one reply per call; what fails for one is that one's error alone.
 */
function many(script: Script): Script {
  const source = `local function one(KEYS, ARGV)
${script.source}
end
local per_key, shape = tonumber(ARGV[1]), ARGV[2]
local keys, args, own, next = {}, {}, {}, 3
for i = 1, #shape do
  if string.sub(shape, i, i) == 's' then
    args[i] = ARGV[next]
    next = next + 1
  else
    own[#own + 1] = i
  end
end
local replies = {}
for at = 0, #KEYS / per_key - 1 do
  for i = 1, per_key do keys[i] = KEYS[at * per_key + i] end
  for i = 1, #own do
    args[own[i]] = ARGV[next]
    next = next + 1
  end
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

/** Keys and arguments of calls that are alike, as `many` reads them. */
function packed(calls: readonly Call[], first: Call): readonly [keys: string[], args: (string | number | Uint8Array)[]] {
  const shared = first.args.map((value, at) => calls.every(({ args }) => args[at] === value));
  const keys: string[] = [];
  const args: (string | number | Uint8Array)[] = [first.keys.length, shared.map((same) => (same ? "s" : "o")).join("")];
  first.args.forEach((value, at) => void (shared[at] === true && args.push(value)));
  for (const call of calls) {
    for (const key of call.keys) keys.push(key);
    for (let at = 0; at < shared.length; at += 1) if (shared[at] === false) args.push(call.args[at] as string);
  }
  return [keys, args];
}

/**
 * Sends calls of one script that are made in one moment as one command: Redis and this process spend most of a small script's time on the
 * command around it. Not for a cluster, where the keys of several calls lie in several slots. Every call gets its own reply or error.
 */
export function batched(evaluate: Evaluate, refused: Refused = (error) => Promise.reject(error)): Evaluate {
  const waiting = new Map<string, Waiting>();
  const scripts = new Map<string, Script>();

  const send = async ({ script, calls }: Waiting): Promise<void> => {
    const [first] = calls;
    if (first === undefined) return;
    try {
      if (calls.length === 1) return first.resolve(await evaluate(script, first.keys, first.args));
      const together = scripts.get(script.sha) ?? many(script);
      scripts.set(script.sha, together);
      const replies = await evaluate(together, ...packed(calls, first));
      if (!Array.isArray(replies) || replies.length !== calls.length) throw new Error(`redis: ${together.name} gave no reply per call`);
      for (let at = 0; at < calls.length; at += 1) {
        const { keys, args, resolve, reject } = calls[at] as Call;
        const reply: unknown = replies[at];
        if (reply instanceof Error) refused(reply, script, keys, args).then(resolve, reject);
        else resolve(reply);
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  };

  return (script, keys, args) =>
    new Promise((resolve, reject) => {
      const call: Call = { keys, args, resolve, reject };
      const batch = waiting.get(script.sha);
      if (batch !== undefined && batch.calls.length < MAX_CALLS && isAlike(batch.calls[0], keys, args)) return void batch.calls.push(call);
      const fresh: Waiting = { script, calls: [call] };
      waiting.set(script.sha, fresh);
      queueMicrotask(() => {
        if (waiting.get(script.sha) === fresh) waiting.delete(script.sha);
        void send(fresh);
      });
    });
}

import { type Heartbeat, heartbeatSchema } from "../../../worker/contract/heartbeat.ts";

/** What one worker said last, and since when we know it. */
export interface Beat {
  readonly raw: string;
  readonly heartbeat: Heartbeat;
  /** When its `seq` was seen to change, on our own clock; undefined for what was there when we first looked: it may be of any age. */
  readonly heardAt: number | undefined;
}

/** A pool's heartbeats. */
export interface Beats {
  /** When the store was read last; undefined: never. */
  readonly readAt: number | undefined;
  readonly byPod: ReadonlyMap<string, Beat>;
}

export const NO_BEATS: Beats = { readAt: undefined, byPod: new Map() };

/** Takes in what the store holds now. A field that is no heartbeat counts as silence. Never compares clocks of two machines. */
export function hear(before: Beats, hash: Readonly<Record<string, string>>, now: number): Beats {
  const byPod = new Map<string, Beat>();
  for (const [pod, raw] of Object.entries(hash)) {
    const old = before.byPod.get(pod);
    const beat = old?.raw === raw ? old : listen(old, raw, before.readAt !== undefined, now);
    if (beat !== undefined) byPod.set(pod, beat);
  }
  return { readAt: now, byPod };
}

function listen(old: Beat | undefined, raw: string, watching: boolean, now: number): Beat | undefined {
  const heartbeat = parse(raw);
  if (heartbeat === undefined) return undefined;
  const moved = old === undefined ? watching : old.heartbeat.seq !== heartbeat.seq || old.heartbeat.boot !== heartbeat.boot;
  return { raw, heartbeat, heardAt: moved ? now : old?.heardAt };
}

function parse(raw: string): Heartbeat | undefined {
  try {
    return heartbeatSchema.safeParse(JSON.parse(raw)).data;
  } catch {
    // Not JSON: somebody else's field.
    return undefined;
  }
}

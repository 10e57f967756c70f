import type { World } from "./world.ts";

/** Something that sizes the pool: it is asked again and again, and changes the world. */
export interface System {
  /** When it wants to be asked next, ms. */
  next(): number;
  /** Looks and acts, at that time. The world has been brought there. */
  act(world: World): void;
  /** Looks that come before `next`, where a sensor is older than the decision; ms. */
  readonly senses?: { next(): number; sense(world: World): void };
  /** Replicas that it wants now. */
  wanted(world: World): number;
  /** Why, in words. */
  why?(): string;
}

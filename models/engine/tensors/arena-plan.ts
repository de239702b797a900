/**
 * Plans the arena, the one block of 32-bit floats in which the engine computes: adapters, weights and workspaces take their
 * places from it before it is allocated. Counts are floats.
 */
import type { Place } from "../kernels/kernels.ts";

/** Length of a buffer in floats: kernels go through buffers by sixteen. */
export const roundUp16 = (count: number): number => Math.ceil(count / 16) * 16;

/** Plans the offsets of buffers before the arena is there: its size is known once all are placed. */
export class ArenaPlan {
  #floatCount = 0;

  /** A buffer of `count` floats, its length rounded up to 16. */
  take(count: number): Place {
    const at = this.#floatCount;
    this.#floatCount += roundUp16(count);
    return at;
  }

  get floatCount(): number {
    return this.#floatCount;
  }
}

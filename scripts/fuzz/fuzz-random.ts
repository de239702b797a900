/** Random choices of `npm run fuzz` that follow from one seed, so that a seed repeats a run. */
import { TestRandom } from "@openledger/foundation/testing/test-random";

const EDGES = [0, 1, 2, 15, 16, 63, 64, 255, 256, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

export class FuzzRandom extends TestRandom {
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }
  /** Any 32 bits, often those at an edge. */
  word(): number {
    return this.oneIn(2) ? this.pick(EDGES) : Math.floor(this.next() * 2 ** 32);
  }
  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}

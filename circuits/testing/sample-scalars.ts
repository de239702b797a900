/** Test support: scalars that repeat from run to run; the seed says which. */
import { FIELD_ORDER } from "../protocol.ts";

export function scalarsFrom(seed: number, count: number): bigint[] {
  let state = BigInt(seed) + 1n;
  return Array.from({ length: count }, () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % (1n << 64n);
    const wide = state ** 5n + state ** 3n + state;
    return (wide * wide) % FIELD_ORDER;
  });
}

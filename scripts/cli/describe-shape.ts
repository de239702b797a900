/** Text of how a model's epochs are settled, for `openledger models show` and `verify model`. */
import type { ModelShape } from "@openledger/circuits/settlement/settlement-size";

/** Describes in words what a model's binding says of its settlements. */
export function describeShape({ draws, features, isDirect }: ModelShape): string {
  return isDirect === true
    ? `an epoch is settled by ${draws} draws over ${features} buckets of terms, and the settlement proves the answers`
    : `an epoch is settled by ${draws} draws over ${features} features`;
}

/**
 * Computes in TypeScript what terms.circom does for a batch's witness: the challenges of the equation that ties a batch's
 * operations to the leaves they change (docs/explanation/leaf-table.md), and the next hash of a model's chain of payments or a
 * Datanet's chain of commits.
 */
import { type HashRequest, hashTagged } from "../field/poseidon.ts";
import { decodeAmount } from "../ledger/amount-float.ts";
import { FIELD_ORDER, ID_BITS, KIND, TAG } from "../protocol.ts";
import type { TableSlot } from "./table-layout.ts";

/** Tag of the H[21] that makes the challenges of z (terms.circom). */
const TAG_CHALLENGE = 21n;
/** Powers of alpha that the parts use: `power` of `Challenges`. */
const POWERS = 9;

/** Output of `Challenges`: gamma, and alpha^(i + 1) as power[i]. */
export function challengesAt(z: bigint): { gamma: bigint; power: bigint[] } {
  const [gamma, alpha] = [hashTagged(TAG_CHALLENGE, [z, 0n]), hashTagged(TAG_CHALLENGE, [z, 1n])];
  const power = [alpha];
  while (power.length < POWERS) power.push((power.at(-1)! * alpha) % FIELD_ORDER);
  return { gamma, power };
}

/**
 * Preimage of the chain's next value, to be hashed together with others. The amount is the new open amount of
 * a payment, or the rows of a commit.
 */
export function nextChainRequest(slot: TableSlot): HashRequest {
  const isPay = slot.kind === KIND.payInference;
  const last = isPay ? slot.openWei + decodeAmount(slot.amountCode) : rowsOf(slot);
  const step = BigInt(slot.a) + (last << BigInt(ID_BITS));
  return [isPay ? TAG.payment : TAG.commit, [slot.chain, slot.payload, step]];
}

/** Rows of a commit; 0 for other kinds. */
export const rowsOf = (slot: TableSlot): bigint => (slot.kind === KIND.commitData ? slot.amountCode : 0n);

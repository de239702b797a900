/** Recovery of a preconfirmation's signer: the only check of L1 signatures, for clients, full nodes and evidence. */
import {
  type Preconfirmation,
  type PreconfirmationRollup,
  preconfirmationTypedData,
} from "@openledger/circuits/wire/sequencer-preconfirmation";
import { type Address, type Hex, recoverTypedDataAddress } from "viem";

/**
 * Half the order of secp256k1, as in OpenZeppelin's ECDSA.sol: of the signatures (r, s) and (r, −s) the one below
 * counts.
 */
export const MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * Recovers the address that signed a preconfirmation of this rollup. Everybody can turn a signature into other bytes
 * for the same signer, with −s and the other v, or with v as 0 or 1. Only the bytes that the sequencer makes are
 * taken: r, a low s and 27 or 28, in lower-case hex.
 * @throws Error that says what is wrong with the signature; the caller gives it a code
 */
export async function recoverPreconfirmationSigner(
  rollup: PreconfirmationRollup,
  preconfirmation: Preconfirmation,
): Promise<Address> {
  const { signature } = preconfirmation;
  requireCanonical(signature);
  return recoverTypedDataAddress({ ...preconfirmationTypedData(rollup, preconfirmation), signature });
}

function requireCanonical(signature: Hex): void {
  const form = /^0x[0-9a-f]{64}([0-9a-f]{64})1[bc]$/.exec(signature);
  if (form === null) throw new Error("a signature is 65 bytes in lower-case hex and ends with 1b or 1c");
  if (BigInt(`0x${form[1]}`) > MAX_S) throw new Error("the signature's s is above half the order");
}

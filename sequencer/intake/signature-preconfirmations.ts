/**
 * Preconfirmations signed many at a time: preconfirmations.ts in other words, the same bytes. Without viem, which takes longer to load than
 * everything else that a signature thread needs.
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import {
  PRECONFIRMATION_TYPES,
  type PreconfirmationFacts,
  type PreconfirmationRollup,
} from "@openledger/circuits/wire/sequencer-preconfirmation";
import type { Secret } from "@openledger/foundation/secret";
import type { Hex } from "viem";
import { Secp256k1Signer } from "./signature-secp256k1.ts";

export interface PreconfirmationBatchSigner {
  signAll(facts: readonly PreconfirmationFacts[]): Hex[];
}

// EIP-712's encodings; the test compares with viem.
const DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const PRECONFIRMATION_TYPE = `Preconfirmation(${PRECONFIRMATION_TYPES.Preconfirmation.map(({ name, type }) => `${type} ${name}`).join(",")})`;

const hashText = (text: string): Uint8Array => keccak_256(new TextEncoder().encode(text));
const hex = (value: bigint): string => value.toString(16).padStart(64, "0");
const word = (value: bigint): Uint8Array => {
  if (value < 0n || value >> 256n !== 0n)
    throw new RangeError("a preconfirmation's field does not fit 32 bytes");
  return Uint8Array.from(Buffer.from(hex(value), "hex"));
};
const hashWords = (...words: Uint8Array[]): Uint8Array => keccak_256(Buffer.concat(words));

export function createPreconfirmationBatchSigner(
  rollup: PreconfirmationRollup,
  privateKey: Secret<Hex>,
): PreconfirmationBatchSigner {
  const signer = new Secp256k1Signer(word(BigInt(privateKey.reveal())));
  const separator = hashWords(
    ...[hashText(DOMAIN_TYPE), hashText("OpenLedger"), hashText("1")],
    ...[word(BigInt(rollup.chainId)), word(BigInt(rollup.rollupAddress))],
  );
  const typeHash = hashText(PRECONFIRMATION_TYPE);

  const digest = ({ deadlineSeconds, opIndex, operationHash }: PreconfirmationFacts): Uint8Array => {
    const fields = [operationHash, opIndex, deadlineSeconds].map((value) => word(BigInt(value)));
    return hashWords(Uint8Array.of(0x19, 0x01), separator, hashWords(typeHash, ...fields));
  };
  return {
    signAll: (facts) =>
      signer
        .sign(facts.map(digest))
        .map(({ r, s, yParity }): Hex => `0x${hex(r)}${hex(s)}${yParity === 0 ? "1b" : "1c"}`),
  };
}

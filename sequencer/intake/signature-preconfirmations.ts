/**
 * Preconfirmations signed many at a time by libsecp256k1 in WebAssembly: preconfirmations.ts in other words, the same bytes (RFC 6979,
 * low s). Without viem, whose signer takes five times as long (docs/adr/0006-signer-of-preconfirmations.md).
 */
import { secp256k1 } from "@bitauth/libauth";
import { keccak_256 } from "@noble/hashes/sha3.js";
import {
  PRECONFIRMATION_TYPES,
  type PreconfirmationFacts,
  type PreconfirmationRollup,
} from "@openledger/circuits/wire/sequencer-preconfirmation";
import type { Secret } from "@openledger/foundation/secret";
import type { Hex } from "viem";

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
  const secret = word(BigInt(privateKey.reveal()));
  const separator = hashWords(
    ...[hashText(DOMAIN_TYPE), hashText("OpenLedger"), hashText("1")],
    ...[word(BigInt(rollup.chainId)), word(BigInt(rollup.rollupAddress))],
  );
  const typeHash = hashText(PRECONFIRMATION_TYPE);

  const digest = ({ deadlineSeconds, opIndex, operationHash }: PreconfirmationFacts): Uint8Array => {
    const fields = [operationHash, opIndex, deadlineSeconds].map((value) => word(BigInt(value)));
    return hashWords(Uint8Array.of(0x19, 0x01), separator, hashWords(typeHash, ...fields));
  };
  return { signAll: (facts) => facts.map((fact) => signDigest(secret, digest(fact))) };
}

/**
 * r, s and 27 or 28.
 * @throws RangeError for a secret that is no key, and for an r at or above the order, which nobody has ever met
 */
function signDigest(secret: Uint8Array, digest: Uint8Array): Hex {
  const signed = secp256k1.signMessageHashRecoverableCompact(secret, digest);
  if (typeof signed === "string") throw new RangeError(signed);
  if (signed.recoveryId > 1) throw new RangeError("a nonce that cannot be used");
  return `0x${Buffer.from(signed.signature).toString("hex")}${signed.recoveryId === 0 ? "1b" : "1c"}`;
}

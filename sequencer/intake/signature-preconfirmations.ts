/**
 * Signs preconfirmations, the sequencer's promises, by libsecp256k1 (a native binding, elsewhere WebAssembly) for the signature
 * threads. The bytes are those of viem's signer (RFC 6979, low s), which takes far longer
 * (docs/adr/0006-signer-of-preconfirmations.md).
 */
import { createRequire } from "node:module";
import { secp256k1 } from "@bitauth/libauth";
import { keccak256 } from "@openledger/circuits/field/poseidon";
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

const hashText = (text: string): Uint8Array => keccak256(new TextEncoder().encode(text));
const hex = (value: bigint): string => value.toString(16).padStart(64, "0");
const word = (value: bigint): Uint8Array => {
  if (value < 0n || value >> 256n !== 0n)
    throw new RangeError("a preconfirmation's field does not fit 32 bytes");
  return Uint8Array.from(Buffer.from(hex(value), "hex"));
};

export function createPreconfirmationBatchSigner(
  rollup: PreconfirmationRollup,
  privateKey: Secret<Hex>,
): PreconfirmationBatchSigner {
  const secret = word(BigInt(privateKey.reveal()));
  const separator = keccak256(
    Buffer.concat([
      ...[hashText(DOMAIN_TYPE), hashText("OpenLedger"), hashText("1")],
      ...[word(BigInt(rollup.chainId)), word(BigInt(rollup.rollupAddress))],
    ]),
  );
  const typeHash = hashText(PRECONFIRMATION_TYPE);

  // Both hashed texts, whose beginnings stay.
  const struct = Buffer.concat([typeHash, new Uint8Array(96)]);
  const signed = Buffer.concat([Uint8Array.of(0x19, 0x01), separator, new Uint8Array(32)]);
  const digestOf = ({ deadlineSeconds, opIndex, operationHash }: PreconfirmationFacts): Uint8Array => {
    if (struct.write(operationHash.slice(2), 32, "hex") !== 32) throw new RangeError("a hash has 32 bytes");
    struct.writeBigUInt64BE(BigInt(opIndex), 88);
    struct.writeBigUInt64BE(BigInt(deadlineSeconds), 120);
    signed.set(keccak256(struct), 34);
    return keccak256(signed);
  };
  return { signAll: (facts) => facts.map((fact) => signDigest(secret, digestOf(fact))) };
}

/**
 * r, s and 27 or 28.
 * @throws RangeError for a secret that is no key, and for an r at or above the order, which nobody has ever met
 */
function signDigest(secret: Uint8Array, digest: Uint8Array): Hex {
  const { signature, recoveryId } = (native ?? signPortably)(secret, digest);
  if (recoveryId > 1) throw new RangeError("a nonce that cannot be used");
  return `0x${Buffer.from(signature).toString("hex")}${recoveryId === 0 ? "1b" : "1c"}`;
}

interface Recoverable {
  readonly signature: Uint8Array;
  readonly recoveryId: number;
}

function signPortably(secret: Uint8Array, digest: Uint8Array): Recoverable {
  const signed = secp256k1.signMessageHashRecoverableCompact(secret, digest);
  if (typeof signed === "string") throw new RangeError(signed);
  return signed;
}

interface Secp256k1Binding {
  ecdsaSign(digest: Uint8Array, secret: Uint8Array): { signature: Uint8Array; recid: number };
}

/**
 * Loads the native binding. It bypasses the package, which signs by other code in silence where it has no binary for the
 * platform.
 */
function loadNative(): ((secret: Uint8Array, digest: Uint8Array) => Recoverable) | null {
  let binding: Secp256k1Binding;
  try {
    binding = createRequire(import.meta.url)("secp256k1/bindings") as Secp256k1Binding;
  } catch {
    return null;
  }
  return (secret, digest) => {
    try {
      const { recid, signature } = binding.ecdsaSign(digest, secret);
      return { signature, recoveryId: recid };
    } catch (cause) {
      throw new RangeError("no signature by this secret", { cause });
    }
  };
}
const native = loadNative();

/** Name of the signer in use. */
export const preconfirmationSigner = native === null ? "WebAssembly" : "libsecp256k1";

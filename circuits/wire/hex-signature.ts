/** Signatures of the ledger as JSON: each number is 0x-hex of 32 bytes. */
import { hex32 } from "@openledger/foundation/hex";
import type { Signature } from "../field/curve/eddsa.ts";

export interface HexSignature {
  readonly r8x: `0x${string}`;
  readonly r8y: `0x${string}`;
  readonly s: `0x${string}`;
}

export const toHexSignature = ({ r8x, r8y, s }: Signature): HexSignature => ({
  r8x: hex32(r8x),
  r8y: hex32(r8y),
  s: hex32(s),
});

/** @throws SyntaxError for what is no number */
export const fromHexSignature = ({ r8x, r8y, s }: Readonly<Record<keyof Signature, string>>): Signature => ({
  r8x: BigInt(r8x),
  r8y: BigInt(r8y),
  s: BigInt(s),
});

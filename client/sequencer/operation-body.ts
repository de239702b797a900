import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { KIND_RULES } from "@openledger/circuits/protocol";
import type { Hex } from "viem";
import { toHex32 } from "../hex.ts";

/** A signed operation as POST /v1/operations takes it (docs/reference/api.md). */
export interface OperationBody {
  readonly kind: string;
  readonly a: number;
  readonly b: number;
  readonly amountCode: string;
  readonly words: readonly Hex[];
  readonly nonce: number;
  readonly maxFeePerUnitWei: string;
  readonly signature: { readonly r8x: Hex; readonly r8y: Hex; readonly s: Hex };
}

export function encodeOperation(operation: SignedOperation): OperationBody {
  const { signature } = operation;
  return {
    kind: KIND_RULES.find(({ kind }) => kind === operation.kind)!.name,
    a: operation.a,
    b: operation.b,
    amountCode: operation.amountCode.toString(),
    words: operation.words.map(toHex32),
    nonce: Number(operation.nonce),
    maxFeePerUnitWei: operation.maxFeePerUnitWei.toString(),
    signature: { r8x: toHex32(signature.r8x), r8y: toHex32(signature.r8y), s: toHex32(signature.s) },
  };
}

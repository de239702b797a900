/**
 * JSON bodies of signed operations: field elements as 32-byte hex; fees in wei and the 40-bit code of the amount as decimal text.
 * Sending encodes them; evidence of preconfirmations stores them.
 */
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { KIND_RULES } from "@openledger/circuits/protocol";
import { fromHexSignature, type HexSignature, toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { hex32 } from "@openledger/foundation/hex";
import type { Address, Hex } from "viem";
import type { Preconfirmation } from "./sequencer-schemas.ts";

/** A signed operation as POST /v1/operations takes it (docs/reference/api.md). */
export interface OperationBody {
  readonly kind: string;
  readonly a: number;
  readonly b: number;
  readonly amountCode: string;
  readonly words: readonly Hex[];
  readonly nonce: number;
  readonly maxFeePerUnitWei: string;
  readonly signature: HexSignature;
}

/** Encodes a signed operation as the sequencer's request body. */
export function encodeOperation(operation: SignedOperation): OperationBody {
  const { signature } = operation;
  return {
    kind: KIND_RULES.find(({ kind }) => kind === operation.kind)!.name,
    a: operation.a,
    b: operation.b,
    amountCode: operation.amountCode.toString(),
    words: operation.words.map(hex32),
    nonce: Number(operation.nonce),
    maxFeePerUnitWei: operation.maxFeePerUnitWei.toString(),
    signature: toHexSignature(signature),
  };
}

/** Decodes the body of an operation that `encodeOperation` made. */
export function decodeOperation(body: OperationBody): SignedOperation {
  return {
    kind: KIND_RULES.find(({ name }) => name === body.kind)!.kind,
    a: body.a,
    b: body.b,
    amountCode: BigInt(body.amountCode),
    nonce: BigInt(body.nonce),
    words: body.words.map(BigInt),
    maxFeePerUnitWei: BigInt(body.maxFeePerUnitWei),
    signature: fromHexSignature(body.signature),
  };
}

/**
 * A preconfirmation with everything that its hash covers: the file that
 * `openledger verify preconfirmations` and `verify equivocation` take.
 */
export interface PreconfirmationRecord {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly preconfirmation: Preconfirmation;
  readonly operation: OperationBody;
  /** B's owner and kind as they were signed. */
  readonly bRef: Hex;
}

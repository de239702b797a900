/**
 * Signed operations as JSON: field elements as 32-byte hex, fees in wei and the 40-bit code of the amount as decimal text. Clients send
 * them, the sequencer's API shows them, evidence of preconfirmations stores them. operation-json.ts has the schema for reading.
 */
import { hex32 } from "@openledger/foundation/hex";
import type { SignedOperation } from "../ledger/operation.ts";
import { KIND_RULES } from "../protocol.ts";
import { fromHexSignature, type HexSignature, toHexSignature } from "./hex-signature.ts";

/** A signed operation as POST /v1/operations takes it (docs/reference/api.md). */
export interface OperationBody {
  readonly kind: string;
  readonly a: number;
  readonly b: number;
  readonly amountCode: string;
  readonly words: readonly `0x${string}`[];
  readonly nonce: number;
  readonly maxFeePerUnitWei: string;
  readonly signature: HexSignature;
}

/** Encodes a signed operation, whose kind is one of `KIND_RULES`. */
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

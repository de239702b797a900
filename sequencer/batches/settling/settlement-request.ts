/**
 * Settlements and activations (the proof that opens a model) as they are sent to the API, and the decoding of their bytes.
 * settlement-service.ts checks them.
 */
import type { Signature } from "@openledger/circuits/field/curve/eddsa";
import { decodeEntries, type PostedSettlement } from "@openledger/circuits/settlement/settlement-data";
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { sequencerError } from "../../sequencer-errors.ts";
import { entriesOf } from "../../store/settlement-posting.ts";

/** One entry of a settlement as it was sent. */
export interface EntryRequest {
  /** Name of the circuit. */
  readonly circuit: string;
  /** Posted data on L1 (docs/reference/settlement.md, "On L1"). */
  readonly data: Uint8Array;
  /** C, y, z. */
  readonly publicSignals: readonly [bigint, bigint, bigint];
  readonly proof: Groth16Proof;
}

/** A settlement as it was sent; its own circuit, data and proof are those of its first entry. */
export interface SettlementRequest extends EntryRequest {
  readonly kind: "settle" | "activation";
  readonly modelId: number;
  /** J. */
  readonly settlementHash: bigint;
  /** Further entries in L1's order, for a model of several shards. */
  readonly further?: readonly EntryRequest[] | undefined;
  /** Signature of the model's owner; needed for an activation, and with voids. */
  readonly signature?: Signature | undefined;
}

/** One entry of a settlement as L1 has it. */
export interface PreVerifiedEntry {
  /** Index of the circuit on L1. */
  readonly circuitIndex: number;
  /** C. */
  readonly commitment: bigint;
  readonly data: Uint8Array;
  readonly proof: Groth16Proof;
}

/** A settlement as somebody pre-verified it on L1, which has checked the proof of each entry. */
export interface PreVerifiedOnL1 extends PreVerifiedEntry {
  readonly modelId: number;
  /** J. */
  readonly word: bigint;
  readonly further?: readonly PreVerifiedEntry[] | undefined;
}

/** Decodes the entries of a settlement. @throws SEQ_SETTLEMENT_INVALID */
export function decodeRequest(
  request: Pick<EntryRequest, "data"> & {
    readonly further?: readonly Pick<EntryRequest, "data">[] | undefined;
  },
): PostedSettlement {
  try {
    return decodeEntries(entriesOf<Pick<EntryRequest, "data">>(request).map(({ data }) => data));
  } catch (cause) {
    if (!isRollupError(cause)) throw cause;
    throw sequencerError("SEQ_SETTLEMENT_INVALID", cause.message, { data: { field: "data" }, cause });
  }
}

export function invalid(field: string, why: string, { modelId }: Pick<SettlementRequest, "modelId">) {
  return sequencerError("SEQ_SETTLEMENT_INVALID", `the settlement of model ${modelId}: ${why}`, {
    data: { field, modelId },
  });
}

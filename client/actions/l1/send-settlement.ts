/**
 * Settlements and activations as they go to the sequencer: the proven entries, their JSON body, and the request. The settling
 * daemon, the factory and `openledger models settle` send them.
 */
import type { Signature } from "@openledger/circuits/field/curve/eddsa";
import { toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { hex32 } from "@openledger/foundation/hex";
import { type Hex, toHex } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import { type LedgerSettlement, settlementSchema } from "../../sequencer/model-schemas.ts";
import type { SequencerErrorCode } from "../../sequencer/sequencer-request.ts";
import { requestSequencer } from "../../sequencer/sequencer-request.ts";

type Pair = readonly [bigint, bigint];

/** One entry of `submitBatches`, with its proof. */
export interface ProvenEntry {
  /** Name of the circuit. */
  readonly circuit: string;
  /** Posted data on L1 (docs/reference/settlement.md, "On L1"). */
  readonly data: Uint8Array;
  /** C, y, z. */
  readonly publicSignals: readonly [bigint, bigint, bigint];
  /** Proof, with the real part of G2's coordinates first. */
  readonly proof: { readonly a: Pair; readonly b: readonly [Pair, Pair]; readonly c: Pair };
}

/**
 * A proven settlement or activation with the fields of its first entry. Anyone who has it may send it: the model signs an
 * activation, and voids.
 */
export interface ProvenSettlement extends ProvenEntry {
  readonly kind: "settle" | "activation";
  readonly modelId: number;
  /** J. */
  readonly settlementHash: bigint;
  /** Further entries in L1's order, for a model of several shards. */
  readonly further?: readonly ProvenEntry[];
  /** Signature of the model over J; needed for an activation, and where draws are void. */
  readonly signature?: Signature;
}

export interface SettlementEntryBody {
  readonly circuit: string;
  readonly data: Hex;
  readonly publicSignals: readonly Hex[];
  readonly proof: {
    readonly a: readonly Hex[];
    readonly b: readonly (readonly Hex[])[];
    readonly c: readonly Hex[];
  };
}

/** Body of POST /v1/settlements, and of a settlement's file. */
export interface SettlementBody extends SettlementEntryBody {
  readonly kind: "settle" | "activation";
  readonly modelId: number;
  readonly settlementHash: Hex;
  readonly further?: readonly SettlementEntryBody[];
  readonly signature?: { readonly r8x: Hex; readonly r8y: Hex; readonly s: Hex };
}

/**
 * Encodes a proven settlement as the sequencer's request body, or for a file.
 * @example
 * ```ts
 * const file = JSON.stringify(encodeSettlementBody(settlement));
 * ```
 */
export function encodeSettlementBody(settlement: ProvenSettlement): SettlementBody {
  const { further, kind, modelId, settlementHash, signature } = settlement;
  return {
    kind,
    modelId,
    settlementHash: hex32(settlementHash),
    ...encodeEntryBody(settlement),
    ...(further === undefined ? {} : { further: further.map(encodeEntryBody) }),
    ...(signature === undefined ? {} : { signature: toHexSignature(signature) }),
  };
}

function encodeEntryBody({ circuit, data, publicSignals, proof }: ProvenEntry): SettlementEntryBody {
  const hexes = (values: readonly bigint[]) => values.map(hex32);
  return {
    circuit,
    data: toHex(data),
    publicSignals: hexes(publicSignals),
    proof: { a: hexes(proof.a), b: proof.b.map(hexes), c: hexes(proof.c) },
  };
}

export type SendSettlementErrorCode = SequencerErrorCode;

/**
 * Sends a settlement, again if need be: a repeated one gets its present status.
 * @throws SEQ_SETTLEMENT_INVALID, SEQ_SETTLEMENT_STALE, SEQ_TOO_EARLY, SEQ_RANDOMNESS_MISSED, OP_…, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { status } = await sendSettlement(client, encodeSettlementBody(settlement));
 * ```
 */
export function sendSettlement(client: LedgerClient, body: SettlementBody): Promise<LedgerSettlement> {
  return requestSequencer(client, "/v1/settlements", settlementSchema, { body });
}

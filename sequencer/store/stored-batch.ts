/** Record of one closed batch in the sequencer's store, and its changes from closing to finality on L1. */
import type { VersionedHash } from "@openledger/bridge/blobs/blob-source";
import { postedBlobHash } from "@openledger/bridge/blobs/read-batch";
import type { ClosedBatch } from "@openledger/circuits/batch/batch";
import { encodeWire, type SlotRecord } from "@openledger/circuits/batch/batch-data";
import { batchStatement, signalsOf } from "@openledger/circuits/blob/batch-statement";
import { fromBytesBe, toBytesBe } from "@openledger/circuits/field/element-vector";
import { keccak256 } from "@openledger/circuits/field/poseidon";
import { type BatchShape, kindRule, shapeName } from "@openledger/circuits/protocol";
import { parseTableName, postedShape } from "@openledger/circuits/table/table-shape";
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { hex32 } from "@openledger/foundation/hex";
import type { ChainPosition } from "./log-entry.ts";
import type { SettlementPosting } from "./settlement-posting.ts";

/**
 * closed: waits for its proof. submitted: a transaction that holds it is (about to be) sent. posted: L1 took it.
 * final: deep enough in L1 that nothing takes it back.
 */
const BATCH_STATUSES = ["closed", "proven", "submitted", "posted", "final"] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

export const statusRank = (status: BatchStatus): number => BATCH_STATUSES.indexOf(status);

export interface StoredBatch {
  readonly number: number;
  readonly status: BatchStatus;
  /** keccak256 of the wire data and C: names one closing of this batch; a rebuilt batch has another. */
  readonly batchHash: `0x${string}`;
  readonly circuit: string;
  readonly timestamp: number;
  readonly oldRoot: bigint;
  /** Position of the chain after this batch. */
  readonly position: ChainPosition;
  readonly firstSequence: number;
  readonly commitment: bigint;
  /** The proof's public signals: C, y, z, and with a blob the halves of its value. */
  readonly publicSignals: readonly [bigint, bigint, bigint, ...bigint[]];
  readonly wire: Uint8Array;
  readonly narrow: readonly SlotRecord[];
  readonly wide: readonly SlotRecord[];
  /** Settlements in the order of the Settle and Activation records that take them. */
  readonly settlements: readonly SettlementPosting[];
  readonly signedCount: number;
  readonly feePerUnitWei: bigint;
  readonly feeAccountId: number;
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  readonly proof: ProofReport | null;
  readonly l1: L1Inclusion | null;
  readonly postedAtMs: number | null;
  /** Number of times it was closed again because L1 would no longer take its timestamp. */
  readonly rebuildCount: number;
  /** True where somebody else made it, and L1 took it; this process has no proof of it. */
  readonly isForeign?: true;
}

export interface ProofReport {
  readonly proof: Groth16Proof;
  readonly backend: string;
  readonly timings: Readonly<Record<string, number>>;
  readonly provenAtMs: number;
}

export interface L1Inclusion {
  readonly transactionHash: string;
  readonly blockNumber: number | null;
  readonly gasUsed: number | null;
  /** Wei of ether that the transaction paid for a unit of gas; absent where an older bridge, or nobody, reported it. */
  readonly gasPriceWei?: bigint | null;
}

/** The record of a batch that has just been closed. */
export function recordOf(
  closed: Pick<ClosedBatch, "data">,
  facts: {
    circuitId: bigint;
    /** C, null where L1 does not show it; of a batch that is on L1 nobody needs it again. */
    commitment: bigint | null;
    position: ChainPosition;
    firstSequence: number;
    openedAtMs: number;
    closedAtMs: number;
    rebuildCount: number;
    settlements: readonly SettlementPosting[];
    /**
     * Posted bytes and blob hash: required for a batch in a blob, whose bytes end with the blob's opening. Others may
     * omit it.
     */
    posted?: { readonly wire: Uint8Array; readonly versionedHash: string | null };
  },
): StoredBatch {
  const { data } = closed;
  const { circuitId, commitment, posted, ...rest } = facts;
  const blobHash = posted?.versionedHash ? BigInt(posted.versionedHash) : null;
  const statement = batchStatement(data, circuitId, commitment ?? 0n, blobHash);
  const wire = posted !== undefined && blobHash !== null ? posted.wire : encodeWire(data);
  return {
    ...rest,
    number: Number(data.batchNumber),
    status: "closed",
    batchHash: batchHash(wire, statement.commitment),
    circuit: shapeName(data.shape),
    timestamp: Number(data.timestamp),
    oldRoot: data.oldRoot,
    commitment: statement.commitment,
    publicSignals: signalsOf(statement) as [bigint, bigint, bigint, ...bigint[]],
    wire,
    narrow: data.narrow,
    wide: data.wide,
    signedCount: data.signedCount,
    feePerUnitWei: data.feePerUnitWei,
    feeAccountId: data.feeAccountId,
    proof: null,
    l1: null,
    postedAtMs: null,
  };
}

/** Shape of the batch circuit of this name; null where its batches are in no blob. */
export function blobShapeOf(circuit: string): BatchShape | null {
  const table = parseTableName(circuit);
  return table?.isBlob === true ? postedShape(table) : null;
}

/** Names the blob in which L1 has the batch's narrow slots; null where it has them in the posted bytes, or not yet. */
export const blobHashOf = ({ circuit, l1, wire }: StoredBatch): VersionedHash | null =>
  l1 === null || blobShapeOf(circuit) === null ? null : postedBlobHash(wire);

/** Number of queue entries that a batch took. */
export const queueCountOf = ({ wide }: StoredBatch): number =>
  wide.filter(({ kind }) => kindRule(kind)?.isQueue === true).length;

/** Number of narrow slots of the batch circuit of this name. */
export function narrowSlotsOf(circuit: string): number {
  const table = parseTableName(circuit);
  return table === null ? Number(circuit.match(/\d+/)?.[0] ?? 0) : postedShape(table).narrow;
}

function batchHash(wire: Uint8Array, commitment: bigint): `0x${string}` {
  const bytes = new Uint8Array(wire.length + 32);
  bytes.set(wire);
  bytes.set(toBytesBe(commitment, 32), wire.length);
  return hex32(fromBytesBe(keccak256(bytes)));
}

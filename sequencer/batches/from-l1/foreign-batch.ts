/**
 * Batches on L1 that somebody else made: overdue queue entries or settlements (docs/how-to/operate.md, "Batches
 * of others"). The bridge reports them once they are confirmed; until they are final, a reorganisation may take
 * them back. rebase.ts applies them.
 */
import { postedBlobHash } from "@openledger/bridge/blobs/read-batch";
import { MALFORMED_REMEDY, type MalformedBatch } from "@openledger/bridge/l1/submission/malformed-batch";
import { type BatchData, decodeWire, type L1Header } from "@openledger/circuits/batch/batch-data";
import type { ReplayedSettlement } from "@openledger/circuits/batch/settlement-operation";
import { type BatchShape, isBlobShape, kindRule } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import type { DeployedCircuit } from "@openledger/circuits/registry/deployment";
import { capOf } from "@openledger/circuits/registry/settlement-statement";
import { CIRCUIT_SORT, decodeEntries } from "@openledger/circuits/settlement/settlement-data";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { sequencerError } from "../../sequencer-errors.ts";
import type { ChainPosition } from "../../store/log-entry.ts";
import { recordOf, type StoredBatch } from "../../store/stored-batch.ts";
import type { BatchRegistry } from "../batch-registry.ts";
import type { ChainRules } from "../head-state.ts";

export type { MalformedBatch };

/** One such batch as L1 has it. */
export interface ForeignBatch {
  readonly batchNumber: number;
  /** Index on L1. */
  readonly circuitIndex: number;
  /** C of the call; null where the batch came in through another contract. */
  readonly commitment: bigint | null;
  /** Wire form. */
  readonly data: Uint8Array;
  /** Posted data of each one's entries, in the order of the records that take them. */
  readonly settlements: readonly (readonly Uint8Array[])[];
  readonly transactionHash: `0x${string}`;
  readonly blockNumber: number;
}

export interface ReadForeignBatch {
  readonly data: BatchData;
  readonly settlements: readonly ReplayedSettlement[];
  readonly circuit: DeployedCircuit;
  readonly queueCount: number;
  readonly source: ForeignBatch;
}

/** Batches up to the first that cannot be read. */
interface ReadForeignBatches {
  readonly read: readonly ReadForeignBatch[];
  readonly malformed: MalformedBatch | null;
}

/** The last batch that the sequencer and L1 share: the one before the first that it does not have. */
export function sharedNumber(registry: BatchRegistry, batches: readonly ForeignBatch[]): number {
  const first = batches.find(({ batchNumber, data }) => {
    if (batchNumber <= registry.finalNumber) return false;
    const known = registry.record(batchNumber);
    return known?.isForeign !== true || Buffer.compare(known.wire, data) !== 0;
  });
  const before = first === undefined ? registry.finalNumber : first.batchNumber - 1;
  return Math.max(registry.finalNumber, Math.min(before, registry.closedNumber));
}

/**
 * Decodes consecutive batches on top of a position, those behind it left out; nothing is executed.
 * @throws SEQ_BATCH_CONFLICT; SEQ_QUEUE_GAP where those that can be read hold queue entries that are not known yet
 */
export function readForeignBatches(
  batches: readonly ForeignBatch[],
  position: ChainPosition,
  modules: { rules: ChainRules; circuits: readonly DeployedCircuit[]; queueSeenIndex: number },
): ReadForeignBatches {
  const { domain, idFeeWei } = modules.rules;
  let header: L1Header = {
    domain,
    idFeeWei,
    oldRoot: position.root,
    batchNumber: BigInt(position.batchNumber) + 1n,
    firstOpIndex: BigInt(position.opIndex),
    oldNextId: position.nextId,
  };
  const fresh = batches.filter(({ batchNumber }) => batchNumber > position.batchNumber);
  const read: ReadForeignBatch[] = [];
  let malformed: MalformedBatch | null = null;
  for (const source of fresh) {
    if (BigInt(source.batchNumber) !== header.batchNumber)
      throw invalid(source, `batch ${header.batchNumber} comes next`);
    const circuit = modules.circuits[source.circuitIndex];
    if (circuit?.sort !== CIRCUIT_SORT.batch) throw invalid(source, "its circuit proves no batches");
    const batch = decode(source, circuit, header, modules.circuits);
    if ("reason" in batch) {
      malformed = batch;
      break;
    }
    const { data } = batch;
    // Only the operator's own address can post signed operations: then this data directory is behind L1.
    if (data.signedCount > 0) throw invalid(source, `it holds ${data.signedCount} signed operations`);
    header = {
      ...header,
      oldRoot: data.newRoot,
      batchNumber: header.batchNumber + 1n,
      oldNextId: data.newNextId,
    };
    read.push(batch);
  }
  const { queueSeenIndex } = modules;
  const queueHead = read.reduce((sum, { queueCount }) => sum + queueCount, position.queueHead);
  if (queueHead <= queueSeenIndex) return { read, malformed };
  throw sequencerError("SEQ_QUEUE_GAP", `queue entry ${queueSeenIndex} was not handed over yet`, {
    data: { queueIndex: queueHead - 1, nextIndex: queueSeenIndex },
  });
}

function decode(
  source: ForeignBatch,
  circuit: DeployedCircuit,
  header: L1Header,
  circuits: readonly DeployedCircuit[],
): ReadForeignBatch | MalformedBatch {
  try {
    const data = decodeWire(source.data, batchShape(circuit), header);
    const taking = data.wide.filter(({ kind }) => kindRule(kind)?.isSettlement);
    const settlements = source.settlements.map((entries, i): ReplayedSettlement => {
      const posted = decodeEntries(entries);
      const cap = taking[i] === undefined ? null : capOf(taking[i].kind, posted, circuits);
      if (cap === null) throw invalid(source, "a settlement of it fits none of its records");
      return { ...posted, cap };
    });
    const queueCount = data.wide.filter(({ kind }) => kindRule(kind)?.isQueue).length;
    return { data, settlements, circuit, queueCount, source };
  } catch (cause) {
    if (!isRollupError(cause)) throw cause;
    return malformedBatch(source, cause);
  }
}

/** The verdict on a batch that L1 has taken, and that breaks this rule. */
export function malformedBatch(source: ForeignBatch, { code, message }: RollupError): MalformedBatch {
  const { batchNumber, blockNumber, transactionHash } = source;
  return { batchNumber, blockNumber, transactionHash, reason: { code, message } };
}

/** Error for every request while L1 has such a batch. */
export function malformedOnL1(malformed: MalformedBatch): RollupError {
  const { batchNumber, reason } = malformed;
  return sequencerError(
    "SEQ_BATCH_MALFORMED",
    `L1 has taken batch ${batchNumber}, which breaks the ledger's rules (${reason.code}: ${reason.message}): no operation is taken; ${MALFORMED_REMEDY}`,
    { data: { ...malformed, remedy: MALFORMED_REMEDY } },
  );
}

/** The record of such a batch: posted, with no proof of ours. */
export function foreignRecordOf(
  { circuit, data, source }: ReadForeignBatch,
  position: ChainPosition,
  nowMs: number,
): StoredBatch {
  const { blockNumber, transactionHash } = source;
  const facts = {
    circuitId: circuit.circuitId,
    commitment: source.commitment,
    position,
    settlements: [],
    rebuildCount: 0,
    posted: postedBytes(data.shape, source.data),
  };
  const times = { openedAtMs: nowMs, closedAtMs: nowMs, firstSequence: position.sequence + 1 };
  return {
    ...recordOf({ data }, { ...facts, ...times }),
    status: "posted",
    isForeign: true,
    l1: { transactionHash, blockNumber, gasUsed: null },
    postedAtMs: nowMs,
  };
}

/** Posted bytes and blob hash. Without signed operations a blob has nothing but zeros, so it need not be fetched. */
function postedBytes(shape: BatchShape, wire: Uint8Array) {
  return { wire, versionedHash: isBlobShape(shape) ? postedBlobHash(wire) : null };
}

function invalid({ batchNumber }: ForeignBatch, why: string) {
  return sequencerError(
    "SEQ_BATCH_CONFLICT",
    `batch ${batchNumber} of another account cannot be followed: ${why}`,
    { data: { reason: "foreign-batch-invalid", batchNumber, why } },
  );
}

/**
 * Replays L1's records of a rollup one after the other, and checks each against those before it. The ledger itself is its
 * keeper's: in memory up to an end (ledger-replay.ts), or stored and followed for good (a full node). docs/adr/0026 says why there are two.
 */
import type { BatchEvent, HistoryEvent, QueueEntryEvent } from "@openledger/bridge/l1/l1-history";
import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { queueOperationOf } from "@openledger/circuits/batch/batch";
import type { ReplayedSettlement } from "@openledger/circuits/batch/settlement-operation";
import { batchStatement, signalsOf } from "@openledger/circuits/blob/batch-statement";
import type { LedgerPosition } from "@openledger/circuits/ledger/ledger";
import type { QueueOperation } from "@openledger/circuits/ledger/operation";
import { kindRule } from "@openledger/circuits/protocol";
import { fromContractProof } from "@openledger/circuits/wire/groth16-proof";
import { type ReadBlock, requireCloseEpochNoted, SettlementReplay } from "./settlement-replay.ts";
import { requireSame, verifyDiffers } from "./verify-error.ts";
import { type VerifyProof, verifierKey } from "./verify-keys.ts";

export interface HistoryKeeper {
  /** Position after the last batch that was taken. */
  position(): LedgerPosition & { readonly timestamp: bigint };
  /** The queue's entry with this index, `undefined` if none was read. */
  queued(queueIndex: number): Omit<QueueOperation, "queueIndex"> | undefined;
  noteEntry(entry: QueueEntryEvent): void | Promise<void>;
  /**
   * Executes the batch.
   * @param check verifies the batch's settlements and its proof; resolves to what the settlements burn, in wei
   * @throws BRG_BATCH_MALFORMED where the batch breaks the ledger's rules
   */
  take(
    event: BatchEvent,
    replayed: readonly ReplayedSettlement[],
    check: () => Promise<bigint>,
  ): Promise<void>;
}

interface HistoryReplayModules {
  readonly circuits: readonly RegisteredCircuit[];
  /** Absent: the contract has verified settlements and proofs, and that is enough. */
  readonly verifyProof?: VerifyProof | undefined;
  readonly readBlock: ReadBlock;
}

export class HistoryReplay {
  readonly settlements: SettlementReplay;
  /** No batch comes behind the last one. */
  isFrozen = false;
  batchProofCount = 0;
  readonly #modules: HistoryReplayModules;
  readonly #keeper: HistoryKeeper;

  constructor(modules: HistoryReplayModules, keeper: HistoryKeeper) {
    const { circuits, readBlock, verifyProof = () => true } = modules;
    this.#modules = modules;
    this.#keeper = keeper;
    this.settlements = new SettlementReplay({ circuits, verifyProof, readBlock });
  }

  /** @throws BRG_VERIFY_DIFFERS where the record contradicts those before or its proof; what the keeper throws */
  async apply(event: HistoryEvent): Promise<void> {
    switch (event.type) {
      case "queue-entry":
        await this.#keeper.noteEntry(event);
        break;
      case "closeEpoch":
        this.settlements.noteClose(event.batchNumber, event.blockNumber);
        break;
      case "randomness":
        await this.settlements.noteRandomness(event.batchNumber, event.prevRandao);
        break;
      case "frozen": {
        const { batchNumber, root } = this.#keeper.position();
        requireSame(null, "the root of the freeze", root, event.root);
        requireSame(null, "the last batch before the freeze", batchNumber, event.batchNumber);
        this.isFrozen = true;
        break;
      }
      case "batch":
        await this.#applyBatch(event);
        break;
      default:
        break;
    }
  }

  async #applyBatch(event: BatchEvent): Promise<void> {
    const { batch } = event;
    const before = this.#keeper.position();
    const number = before.batchNumber + 1;
    requireSame(number, "whether the ledger is frozen", false, this.isFrozen);
    requireSame(number, "the batch's number", number, Number(batch.batchNumber));
    requireSame(number, "the first operation's index", before.opIndex, Number(batch.firstOpIndex));
    if (batch.timestamp < before.timestamp) {
      throw verifyDiffers({
        batchNumber: number,
        what: "the time",
        expected: `at least ${before.timestamp}`,
        actual: batch.timestamp,
      });
    }
    this.#consumeQueue(event, before);
    requireCloseEpochNoted(event, this.settlements.closingBlock(number));
    await this.#keeper.take(event, this.settlements.replayed(event), () => this.#check(event));
    const opIndex = before.opIndex + batch.signedCount;
    requireSame(number, "the operations' index after it", opIndex, event.opIndex);
  }

  async #check(event: BatchEvent): Promise<bigint> {
    if (this.#modules.verifyProof === undefined) return 0n;
    const burnedWei = await this.settlements.check(event);
    await this.#checkProof(event, this.#modules.verifyProof);
    return burnedWei;
  }

  /** Checks nothing of a batch that came in through another contract: C and proof are not on L1, only the contract saw them. */
  async #checkProof(event: BatchEvent, verifyProof: VerifyProof): Promise<void> {
    const { batch, circuitIndex, commitment, proof, versionedHash } = event;
    if (commitment === null || proof === null) return;
    const batchNumber = Number(batch.batchNumber);
    const circuit = this.#modules.circuits[circuitIndex]!;
    const blobHash = versionedHash && BigInt(versionedHash);
    const signals = signalsOf(batchStatement(batch, circuit.circuitId, commitment, blobHash));
    const isValid = await verifyProof(verifierKey(circuit), fromContractProof(proof), signals);
    if (!isValid)
      throw verifyDiffers({ batchNumber, what: "the proof", expected: "valid", actual: "invalid" });
    this.batchProofCount += 1;
  }

  /** Requires the batch's queue operations to be the queue's next entries, in order and word for word. */
  #consumeQueue({ batch, queueHead }: BatchEvent, before: LedgerPosition): void {
    const number = Number(batch.batchNumber);
    let index = before.queueHead;
    for (const record of batch.wide) {
      if (!kindRule(record.kind)?.isQueue) continue;
      const entry = this.#keeper.queued(index);
      const posted = queueOperationOf(record, index);
      const queued = entry && {
        kind: entry.kind,
        queueIndex: index,
        a: entry.a,
        b: entry.b,
        amountWei: entry.amountWei,
        word1: entry.word1,
        word2: entry.word2,
        word3: entry.word3,
        word4: entry.word4,
        sender: entry.sender,
      };
      requireSame(number, `queue entry ${index}`, queued ?? "none", posted);
      index += 1;
    }
    requireSame(number, "the queue's head after it", index, queueHead);
  }
}

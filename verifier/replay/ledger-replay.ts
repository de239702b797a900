import { bridgeError } from "@openledger/bridge/bridge-errors";
import type { BatchEvent, HistoryEvent, QueueEntryEvent } from "@openledger/bridge/l1/l1-history";
import { PaymentHistory } from "@openledger/bridge/l1/payment-history";
import type { RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { type BatchPlace, batchMalformed } from "@openledger/bridge/l1/submission/malformed-batch";
import { queueOperationOf, replayBatch } from "@openledger/circuits/batch/batch";
import { batchStatement, signalsOf } from "@openledger/circuits/blob/batch-statement";
import { genesisLedger, type Ledger } from "@openledger/circuits/ledger/ledger";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import { fromContractProof } from "@openledger/circuits/wire/groth16-proof";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { BridgeTotals } from "./bridge-totals.ts";
import { checkExit, checkRefund } from "./exit-check.ts";
import type { LedgerSnapshot } from "./ledger-snapshot.ts";
import { type ReadBlock, requireCloseEpochNoted, SettlementReplay } from "./settlement-replay.ts";
import { requireSame, verifyDiffers } from "./verify-error.ts";
import { type VerifyProof, verifierKey } from "./verify-keys.ts";

const placeOf = ({ batch, blockNumber, l1TransactionHash: transactionHash }: BatchEvent): BatchPlace => ({
  batchNumber: Number(batch.batchNumber),
  transactionHash,
  blockNumber,
});

/** Start of a replay later than the rollup's: seeds the replay, and returns what to read then. */
export type ReplayStart = (
  rollup: RollupContract,
  replay: LedgerReplay,
  blockNumber: bigint,
) => Promise<{
  readonly range: { readonly after: LedgerSnapshot["position"]; readonly fromBlock: bigint };
  /** True for an event that the replay's seed contains. */
  isBehind(event: HistoryEvent): boolean;
}>;

/** State of the ledger as far as L1's records have been read. */
export class LedgerReplay {
  readonly totals = new BridgeTotals();
  readonly payments = new PaymentHistory();
  readonly settlements: SettlementReplay;
  /** Queue entries by their index. With a snapshot: from its queueHead on, and nothing before. */
  readonly entries: QueueEntryEvent[] = [];
  queueHead = 0;
  opIndex = 0;
  batchNumber = 0;
  timestamp = 0n;
  isFrozen = false;
  operationCount = 0;
  #batchProofCount = 0;
  #ledger: Ledger | null = null;
  readonly #circuits: readonly RegisteredCircuit[];
  readonly #verifyProof: VerifyProof;
  readonly #onMalformed: ((error: RollupError) => void) | undefined;

  /**
   * @param onMalformed gets the error of a batch that breaks a form, if its root follows all
   * the same; without it that error is thrown. It is for callers that need the leaves of L1's root, right or wrong
   */
  constructor(
    circuits: readonly RegisteredCircuit[],
    verifyProof: VerifyProof,
    readBlock: ReadBlock,
    onMalformed?: (error: RollupError) => void,
  ) {
    this.#circuits = circuits;
    this.#verifyProof = verifyProof;
    this.#onMalformed = onMalformed;
    this.settlements = new SettlementReplay({ circuits, verifyProof, readBlock });
  }

  /** Number of proofs of batches and of settlements. */
  get proofCount(): number {
    return this.#batchProofCount + this.settlements.proofCount;
  }

  /** @throws BRG_HISTORY_INCOMPLETE */
  requireLedger(): Ledger {
    if (this.#ledger === null)
      throw bridgeError(
        "BRG_HISTORY_INCOMPLETE",
        "the Ethereum node's logs do not begin with the rollup's first event",
      );
    return this.#ledger;
  }

  /**
   * Seeds the replay with a snapshot that was checked against L1 (snapshot-anchor.ts), instead of the genesis. What the
   * contract's sums are made of is then not known from the beginning.
   */
  seed({ epochs, position, waiting }: LedgerSnapshot, ledger: Ledger): void {
    this.#ledger = ledger;
    this.batchNumber = position.batchNumber;
    this.opIndex = position.opIndex;
    this.queueHead = position.queueHead;
    this.timestamp = position.timestamp;
    this.entries.length = position.queueHead;
    // Only the totals need the fees that they burned.
    for (const entry of waiting) this.entries.push({ type: "queue-entry", ...entry, burnedFeeWei: 0n });
    for (const [modelId, payments] of epochs) this.payments.seed(modelId, payments);
  }

  /**
   * @throws BRG_HISTORY_INCOMPLETE; BRG_BATCH_MALFORMED if a batch breaks the rules; BRG_VERIFY_DIFFERS if a record
   * contradicts those before or its proof
   */
  async apply(event: HistoryEvent): Promise<void> {
    // Checked before the totals take the event: they say what came before it.
    if (event.type === "exit") checkExit(this, event);
    if (event.type === "refund") checkRefund(this, event);
    this.totals.note(event);
    if (event.type === "genesis") {
      const { operatorKeyX, operatorOwner, treasuryOwner } = event;
      this.#ledger = genesisLedger({
        treasuryOwner: BigInt(treasuryOwner),
        operatorOwner: BigInt(operatorOwner),
        operatorKeyX,
      });
      requireSame(null, "the genesis root", this.#ledger.root, event.root);
    } else if (event.type === "queue-entry") {
      requireSame(null, "a queue entry's index", this.entries.length, event.queueIndex);
      this.entries.push(event);
    } else if (event.type === "closeEpoch") {
      this.settlements.noteClose(event.batchNumber, event.blockNumber);
    } else if (event.type === "randomness") {
      await this.settlements.noteRandomness(event.batchNumber, event.prevRandao);
    } else if (event.type === "frozen") {
      requireSame(null, "the root of the freeze", this.requireLedger().root, event.root);
      requireSame(null, "the last batch before the freeze", this.batchNumber, event.batchNumber);
      this.isFrozen = true;
    } else if (event.type === "batch") {
      requireSame(this.batchNumber + 1, "whether the ledger is frozen", false, this.isFrozen);
      await this.#applyBatch(event);
    }
  }

  async #applyBatch(event: BatchEvent): Promise<void> {
    const { batch, circuitIndex, commitment, proof, versionedHash } = event;
    const number = this.batchNumber + 1;
    requireSame(number, "the batch's number", number, Number(batch.batchNumber));
    requireSame(number, "the first operation's index", this.opIndex, Number(batch.firstOpIndex));
    if (batch.timestamp < this.timestamp) {
      throw verifyDiffers({
        batchNumber: number,
        what: "the time",
        expected: `at least ${this.timestamp}`,
        actual: batch.timestamp,
      });
    }
    this.#consumeQueue(event);
    requireCloseEpochNoted(event, this.settlements.closingBlock(number));
    this.#replay(event);
    // Batches that L1 accepted stay: nobody needs an earlier ledger.
    this.requireLedger().foldAll();
    this.totals.applyBatch(batch, await this.settlements.check(event), event.queueBaseFeeWei);
    this.payments.applyBatch(batch);

    const circuit = this.#circuits[circuitIndex]!;
    // L1 does not show C if the batch came through another contract; then there is no proof to check either.
    if (commitment !== null && proof !== null) {
      const blobHash = versionedHash && BigInt(versionedHash);
      const signals = signalsOf(batchStatement(batch, circuit.circuitId, commitment, blobHash));
      const isValid = await this.#verifyProof(verifierKey(circuit), fromContractProof(proof), signals);
      if (!isValid)
        throw verifyDiffers({ batchNumber: number, what: "the proof", expected: "valid", actual: "invalid" });
      this.#batchProofCount += 1;
    }
    this.batchNumber = number;
    this.opIndex += batch.signedCount;
    this.timestamp = batch.timestamp;
    this.operationCount += [...batch.narrow, ...batch.wide].filter(
      (record) => record.kind !== KIND.null,
    ).length;
    requireSame(number, "the operations' index after it", this.opIndex, event.opIndex);
  }

  #replay(event: BatchEvent): void {
    const { batch } = event;
    const place = placeOf(event);
    const broken: RollupError[] = [];
    const onMalformed = this.#onMalformed;
    const onBrokenForm = onMalformed && ((error: RollupError) => broken.push(error));
    try {
      replayBatch(this.requireLedger(), batch, this.settlements.replayed(event), { onBrokenForm });
    } catch (error) {
      if (!isRollupError(error) || error.code.startsWith("BRG_")) throw error;
      throw batchMalformed(place, error);
    }
    // The root is L1's, so these are the leaves, whatever rule was broken.
    if (broken[0] !== undefined) onMalformed?.(batchMalformed(place, broken[0]));
  }

  /** The batch's queue operations are the queue's next entries, in order and word for word. */
  #consumeQueue({ batch, queueHead }: BatchEvent): void {
    const number = Number(batch.batchNumber);
    for (const record of batch.wide) {
      if (!kindRule(record.kind)?.isQueue) continue;
      const index = this.queueHead++;
      const entry = this.entries[index];
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
        sender: BigInt(entry.sender),
      };
      requireSame(number, `queue entry ${index}`, queued ?? "none", posted);
    }
    requireSame(number, "the queue's head after it", this.queueHead, queueHead);
  }
}

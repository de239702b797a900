/**
 * Replay of L1's history on a ledger in memory: each batch is executed again, each root, proof and total
 * compared. `openledger verify`, exits, restores and audits read L1 through it.
 */
import {
  type BatchEvent,
  type HistoryEvent,
  type HistoryOptions,
  type QueueEntryEvent,
  readL1History,
  withoutBeginning,
} from "@openledger/bridge/l1/l1-history";
import { PaymentHistory } from "@openledger/bridge/l1/payment-history";
import type { RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { type BatchPosition, batchMalformed } from "@openledger/bridge/l1/submission/malformed-batch";
import { replayBatch } from "@openledger/circuits/batch/batch";
import type { ReplayedSettlement } from "@openledger/circuits/batch/settlement-operation";
import { genesisLedger, type Ledger } from "@openledger/circuits/ledger/ledger";
import { KIND } from "@openledger/circuits/protocol";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { BridgeTotals } from "./bridge-totals.ts";
import { checkExit, checkRefund } from "./exit-check.ts";
import { type HistoryKeeper, HistoryReplay } from "./history-replay.ts";
import type { LedgerSnapshot } from "./ledger-snapshot.ts";
import type { ReadBlock, SettlementReplay } from "./settlement-replay.ts";
import { requireSame } from "./verify-error.ts";
import type { VerifyProof } from "./verify-keys.ts";

const positionOf = ({
  batch,
  blockNumber,
  l1TransactionHash: transactionHash,
}: BatchEvent): BatchPosition => ({
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
  readonly range: Required<Pick<HistoryOptions, "after" | "fromBlock">>;
  /** True for an event that the replay's seed contains. */
  isBehind(event: HistoryEvent): boolean;
}>;

/**
 * Reads L1's records up to a block, and applies each: the one loop of verification, exits and restored ledgers.
 * @throws what `start`, `readL1History` and `LedgerReplay.apply` throw
 */
export async function replayL1(
  rollup: RollupContract,
  replay: LedgerReplay,
  options: Pick<HistoryOptions, "toBlock"> & {
    /** Defaults to the contract's own block, which is searched for. */
    readonly fromBlock?: bigint | undefined;
    readonly start?: ReplayStart | undefined;
    /** Reader of the records; tests falsify it. */
    readonly readHistory?: typeof readL1History | undefined;
    /** Called with each event after the ledger has applied it. */
    readonly onEvent?: ((event: HistoryEvent) => void) | undefined;
  },
): Promise<void> {
  const { fromBlock, onEvent, readHistory = readL1History, toBlock } = options;
  const begun = (await options.start?.(rollup, replay, toBlock)) ?? null;
  const range = { ...(fromBlock === undefined ? {} : { fromBlock }), ...begun?.range };
  for await (const event of readHistory({ rollup, toBlock, ...range })) {
    if (begun?.isBehind(event)) continue;
    await replay.apply(event);
    onEvent?.(event);
  }
}

/** State of the ledger as far as L1's records have been read. */
export class LedgerReplay {
  readonly totals = new BridgeTotals();
  readonly payments = new PaymentHistory();
  /** Queue entries by their index. With a snapshot: from its queueHead on, and nothing before. */
  readonly entries: QueueEntryEvent[] = [];
  /** Queue entries executed so far. */
  queueHead = 0;
  /** Signed operations executed so far. */
  opIndex = 0;
  /** Last batch. */
  batchNumber = 0;
  /** Last batch's Unix time in seconds. */
  timestamp = 0n;
  /** Operations of all sorts executed so far. */
  operationCount = 0;
  #ledger: Ledger | null = null;
  readonly #history: HistoryReplay;
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
    this.#onMalformed = onMalformed;
    this.#history = new HistoryReplay({ circuits, verifyProof, readBlock }, this.#keeper);
  }

  get settlements(): SettlementReplay {
    return this.#history.settlements;
  }

  get isFrozen(): boolean {
    return this.#history.isFrozen;
  }

  /** Number of proofs of batches and of settlements. */
  get proofCount(): number {
    return this.#history.batchProofCount + this.settlements.proofCount;
  }

  /** Returns the ledger. @throws BRG_HISTORY_INCOMPLETE before the genesis */
  requireLedger(): Ledger {
    if (this.#ledger === null) throw withoutBeginning();
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
   * Applies the next event of L1's history.
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
    } else await this.#history.apply(event);
  }

  /** The keeper's part of `HistoryReplay`, on a ledger in memory. */
  get #keeper(): HistoryKeeper {
    return {
      position: () => ({
        root: this.requireLedger().root,
        batchNumber: this.batchNumber,
        opIndex: this.opIndex,
        queueHead: this.queueHead,
        timestamp: this.timestamp,
      }),
      queued: (index) => {
        const entry = this.entries[index];
        return entry && { ...entry, sender: BigInt(entry.sender) };
      },
      noteEntry: (entry) => {
        requireSame(null, "a queue entry's index", this.entries.length, entry.queueIndex);
        this.entries.push(entry);
      },
      take: (event, replayed, check) => this.#take(event, replayed, check),
    };
  }

  async #take(
    event: BatchEvent,
    replayed: readonly ReplayedSettlement[],
    check: () => Promise<bigint>,
  ): Promise<void> {
    const { batch } = event;
    this.#replay(event, replayed);
    // Batches that L1 accepted stay: nobody needs an earlier ledger.
    this.requireLedger().foldAll();
    this.totals.applyBatch(batch, await check(), event.queueBaseFeeWei);
    this.payments.applyBatch(batch);
    this.batchNumber += 1;
    this.opIndex += batch.signedCount;
    this.queueHead = event.queueHead;
    this.timestamp = batch.timestamp;
    this.operationCount += [...batch.narrow, ...batch.wide].filter(
      (record) => record.kind !== KIND.null,
    ).length;
  }

  #replay(event: BatchEvent, replayed: readonly ReplayedSettlement[]): void {
    const { batch } = event;
    const place = positionOf(event);
    const broken: RollupError[] = [];
    const onMalformed = this.#onMalformed;
    const onBrokenForm = onMalformed && ((error: RollupError) => broken.push(error));
    try {
      replayBatch(this.requireLedger(), batch, replayed, { onBrokenForm });
    } catch (error) {
      if (!isRollupError(error) || error.code.startsWith("BRG_")) throw error;
      throw batchMalformed(place, error);
    }
    // The root is L1's, so these are the leaves, whatever rule was broken.
    if (broken[0] !== undefined) onMalformed?.(batchMalformed(place, broken[0]));
  }
}

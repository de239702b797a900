/**
 * Finds batches on L1 that are not the sequencer's (somebody carried on an overdue queue, or settled an epoch) and hands them
 * to the sequencer once they are confirmed; until it has them, its own next batches fit nowhere, and nothing is published. It
 * does not wait until they are final. Attack: one such batch every 64 blocks would then stop everything that is signed. Where a
 * reorganisation takes one back, it is reported as dropped, like a batch of our own (posted-watcher.ts).
 */

import { isSamePosition, type LedgerPosition } from "@openledger/circuits/ledger/ledger";
import type { Logger } from "@openledger/foundation/logger";
import { bridgeError } from "../bridge-errors.ts";
import { l1Call } from "../l1/l1-client.ts";
import { type RollupLog, readRollupLogs } from "../l1/log-reader.ts";
import type { RollupContract } from "../l1/rollup-contract.ts";
import { readSubmission, takesSettlementOnL1 } from "../l1/submission/l1-submission.ts";
import type { ChainPositions, ForeignBatchReport, OperatorClient } from "./operator-client.ts";
import { MAX_REQUEST_BYTES, requestBytes } from "./request-parts.ts";

interface ForeignBatchesOptions {
  readonly deployedAtBlock: number;
  /** Blocks that must hold or follow a batch's block before it is handed over. */
  readonly confirmations: number;
  readonly maxChunkBlocks: number;
}

interface ForeignBatchesModules {
  readonly rollup: RollupContract;
  readonly sequencer: OperatorClient;
  readonly logger: Logger;
}

const MAX_REPORTED_BATCHES = 8;

type AcceptedLog = RollupLog & { eventName: "BatchAccepted" };

export class ForeignBatches {
  readonly #options: ForeignBatchesOptions;
  readonly #modules: ForeignBatchesModules;
  #loggedNumber = 0;

  constructor(options: ForeignBatchesOptions, modules: ForeignBatchesModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * Hands over batches that are deep enough.
   * @returns whether L1 has batches that the sequencer has not followed yet
   * @throws BRG_FOREIGN_SIGNED, BRG_BATCH_MALFORMED; BRG_L1_*, BRG_SEQUENCER_*, BRG_BATCH_NOT_IN_CALL
   */
  async poll(): Promise<boolean> {
    const { logger, rollup, sequencer } = this.#modules;
    const chain = await sequencer.chain();
    const l1 = await rollup.state();
    if (l1.batchNumber <= chain.finalNumber || isOurs(chain, l1)) {
      // L1 has taken back the malformed batch because of which the sequencer takes no operation.
      if (chain.malformedBatch !== undefined) await sequencer.reportForeignBatches([]);
      return false;
    }
    const foreign = await this.#confirmedOnes(chain);
    if (foreign.length > 0) {
      await sequencer.reportForeignBatches(foreign);
      logger.warn({ batchNumbers: foreign.map((b) => b.batchNumber) }, "handed over batches of others");
      return true;
    }
    if (this.#loggedNumber !== l1.batchNumber)
      logger.warn(
        { batchNumber: l1.batchNumber },
        "L1 has a batch from another account, waiting until it is confirmed",
      );
    this.#loggedNumber = l1.batchNumber;
    return true;
  }

  /** Confirmed batches behind the last one that L1 and the sequencer share; empty where they are not deep enough. */
  async #confirmedOnes(chain: ChainPositions): Promise<ForeignBatchReport[]> {
    const { client, address } = this.#modules.rollup;
    const { confirmations, deployedAtBlock, maxChunkBlocks } = this.#options;
    const head = await l1Call("read the newest block's number", () => client.getBlockNumber());
    const found: ForeignBatchReport[] = [];
    // Starting at the deployment each second would cost 1,314 requests for a year of mainnet.
    const fromBlock = BigInt(chain.finalBlockNumber ?? deployedAtBlock);
    const chunks = readRollupLogs({
      client,
      address,
      fromBlock,
      toBlock: head - BigInt(confirmations) + 1n,
      maxChunkBlocks,
    });
    let { batchNumber: lastNumber, opIndex } = chain.positions[0]!;
    let bytes = 0;
    for await (const { logs } of chunks) {
      for (const log of logs) {
        if (log.eventName !== "BatchAccepted") continue;
        const { batchNumber: number, newRoot, queueHead } = log.args;
        const batchNumber = Number(number);
        if (batchNumber !== lastNumber + 1) continue;
        lastNumber = batchNumber;
        const signedCount = log.args.opIndex - opIndex;
        opIndex = log.args.opIndex;
        const after = { batchNumber, root: newRoot, opIndex, queueHead };
        // Posted by this operator, or handed over before.
        if (found.length === 0 && isOurs(chain, after)) continue;
        if (signedCount !== 0) throw signedByOthers(batchNumber, signedCount);
        const one = await this.#read(log as AcceptedLog, logs);
        bytes += requestBytes([one.data, ...one.settlements.flat()]);
        found.push(one);
        if (found.length === MAX_REPORTED_BATCHES || bytes > MAX_REQUEST_BYTES) return found;
      }
    }
    return found;
  }

  async #read(log: AcceptedLog, logs: readonly RollupLog[]): Promise<ForeignBatchReport> {
    const { client } = this.#modules.rollup;
    const { batchNumber, circuit } = log.args;
    const submission = await readSubmission(client, log, logs);
    const own = logs.filter((other) => other.transactionHash === log.transactionHash);
    const taken = own.filter(takesSettlementOnL1);
    const { commitment, data } = submission.batches.get(batchNumber)!;
    const settlements = submission.settlements.filter((_, i) => taken[i]!.args.batchNumber === batchNumber);
    return {
      batchNumber: Number(batchNumber),
      circuitIndex: circuit,
      commitment,
      data,
      settlements: settlements.map(({ data, further }) => [data, ...further.map((entry) => entry.data)]),
      transactionHash: log.transactionHash,
      blockNumber: Number(log.blockNumber),
    };
  }
}

/** Returns true if this place is one of the sequencer's ledger. */
export function isOurs({ positions }: ChainPositions, l1: LedgerPosition): boolean {
  return positions.some((own) => isSamePosition(own, l1));
}

function signedByOthers(batchNumber: number, signedCount: number) {
  return bridgeError(
    "BRG_FOREIGN_SIGNED",
    `L1's batch ${batchNumber} holds ${signedCount} signed operations that the sequencer did not put there`,
    { data: { batchNumber, signedCount } },
  );
}

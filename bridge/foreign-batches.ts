/**
 * Batches on L1 that are not the sequencer's: somebody carried on an overdue queue, or settled an epoch. They are
 * handed to the sequencer once they are final, so that it never has to take them back; until it has them, its own next
 * batches fit nowhere, and nothing is published.
 */
import type { Logger } from "pino";
import { bridgeError } from "./bridge-errors.ts";
import { l1Call } from "./l1-client.ts";
import { readSubmission } from "./l1-submission.ts";
import { type RollupLog, readRollupLogs } from "./log-reader.ts";
import type { ChainPositions, ForeignBatchReport, OperatorClient } from "./operator-client.ts";
import type { RollupContract } from "./rollup-contract.ts";

export interface ForeignBatchesOptions {
  readonly deployedAtBlock: number;
  readonly finalityDepthBlocks: number;
  readonly maxChunkBlocks: number;
}

export interface ForeignBatchesModules {
  readonly rollup: RollupContract;
  readonly sequencer: OperatorClient;
  readonly logger: Logger;
}

// One request stays far below the sequencer's limit of a body.
const MAX_REPORTED_BATCHES = 8;

type AcceptedLog = RollupLog & { eventName: "BatchAccepted" };

export class ForeignBatches {
  private readonly options: ForeignBatchesOptions;
  private readonly modules: ForeignBatchesModules;
  private loggedNumber = 0;
  /** Up to which final block the next batches were looked for in vain, and behind which last final batch. */
  private searched = { finalNumber: -1, toBlock: -1n };

  constructor(options: ForeignBatchesOptions, modules: ForeignBatchesModules) {
    this.options = options;
    this.modules = modules;
  }

  /**
   * Hands over what became final.
   * @returns whether L1 has batches that the sequencer has not followed yet
   * @throws BRG_FOREIGN_SIGNED; BRG_L1_*, BRG_SEQUENCER_*, BRG_BATCH_NOT_IN_CALL
   */
  async poll(): Promise<boolean> {
    const { logger, rollup, sequencer } = this.modules;
    const chain = await sequencer.chain();
    const l1 = await rollup.state();
    if (l1.batchNumber <= chain.finalNumber || isOurs(chain, l1)) return false;
    const foreign = await this.finalOnes(chain);
    if (foreign.length > 0) {
      await sequencer.reportForeignBatches(foreign);
      logger.warn({ batchNumbers: foreign.map((b) => b.batchNumber) }, "handed over batches of others");
      return true;
    }
    if (this.loggedNumber !== l1.batchNumber)
      logger.warn(
        { batchNumber: l1.batchNumber },
        "L1 has a batch of somebody else, waiting until it is final",
      );
    this.loggedNumber = l1.batchNumber;
    return true;
  }

  /** Behind the sequencer's last final batch; empty where the next ones are its own or may still be taken back. */
  private async finalOnes(chain: ChainPositions): Promise<ForeignBatchReport[]> {
    const { client, address } = this.modules.rollup;
    const { deployedAtBlock, finalityDepthBlocks, maxChunkBlocks } = this.options;
    const head = await l1Call("read the newest block's number", () => client.getBlockNumber());
    const found: ForeignBatchReport[] = [];
    const fromBlock = this.searchFrom(chain, BigInt(deployedAtBlock));
    // What is final holds the same events at every look; nothing behind it is left out the next time.
    const finalBlock = head - BigInt(finalityDepthBlocks) + 1n;
    const chunks = readRollupLogs({
      client,
      address,
      fromBlock,
      toBlock: finalBlock,
      maxChunkBlocks,
    });
    let opIndex = chain.positions[0]!.opIndex;
    for await (const { logs } of chunks) {
      for (const log of logs) {
        if (log.eventName !== "BatchAccepted") continue;
        const { batchNumber: number, newRoot, queueHead } = log.args;
        const batchNumber = Number(number);
        if (batchNumber !== chain.finalNumber + 1 + found.length) continue;
        const after = { batchNumber, root: newRoot, opIndex: log.args.opIndex, queueHead };
        // Posted by us, and about to be reported as final.
        if (found.length === 0 && isOurs(chain, after)) return [];
        if (log.args.opIndex !== opIndex) throw signedByOthers(batchNumber, log.args.opIndex - opIndex);
        opIndex = log.args.opIndex;
        found.push(await this.read(log as AcceptedLog, logs));
        if (found.length === MAX_REPORTED_BATCHES) return found;
      }
    }
    if (found.length === 0) this.searched = { finalNumber: chain.finalNumber, toBlock: finalBlock };
    return found;
  }

  /** Not from the deployment on: a year of mainnet is 1,314 requests, each second. */
  private searchFrom({ finalBlockNumber, finalNumber }: ChainPositions, deployedAtBlock: bigint): bigint {
    if (this.searched.finalNumber === finalNumber && this.searched.toBlock >= deployedAtBlock)
      return this.searched.toBlock + 1n;
    return finalBlockNumber === undefined ? deployedAtBlock : BigInt(finalBlockNumber);
  }

  private async read(log: AcceptedLog, logs: readonly RollupLog[]): Promise<ForeignBatchReport> {
    const { client } = this.modules.rollup;
    const { batchNumber, circuit } = log.args;
    const submission = await readSubmission(client, log, logs);
    const own = logs.filter((other) => other.transactionHash === log.transactionHash);
    const taken = own.filter(
      (other) => other.eventName === "SettlementAccepted" || other.eventName === "GenesisAccepted",
    );
    const settlements = submission.settlements.filter(
      (_, i) => (taken[i] as { args: { batchNumber: bigint } }).args.batchNumber === batchNumber,
    );
    return {
      batchNumber: Number(batchNumber),
      circuitIndex: circuit,
      data: submission.batches.get(batchNumber)!.data,
      settlements: settlements.map(({ data }) => data),
      transactionHash: log.transactionHash,
      blockNumber: Number(log.blockNumber),
    };
  }
}

/** Root, signed operations and queue say what the ledger is; invalid queue entries change nothing but the last. */
export function isOurs(
  { positions }: ChainPositions,
  l1: { batchNumber: number; root: bigint; opIndex: number; queueHead: number },
): boolean {
  const own = positions.find(({ batchNumber }) => batchNumber === l1.batchNumber);
  return (
    own !== undefined && own.root === l1.root && own.opIndex === l1.opIndex && own.queueHead === l1.queueHead
  );
}

function signedByOthers(batchNumber: number, signedCount: number) {
  return bridgeError(
    "BRG_FOREIGN_SIGNED",
    `L1's batch ${batchNumber} holds ${signedCount} signed operations that the sequencer did not put there`,
    { data: { batchNumber, signedCount } },
  );
}

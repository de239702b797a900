/** Questions about many blocks: nodes limit ranges and results, each with wording of its own. */
import { isRollupError } from "@openledger/foundation/rollup-error";

export interface BlockRange {
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
  /** Blocks asked for at once; halved while the node refuses, doubled again while it answers. */
  readonly maxChunkBlocks: number;
}

/**
 * The answers about a range, chunk by chunk.
 * @param read throws BRG_L1_REFUSED where the node refuses so many blocks
 * @throws BRG_L1_REFUSED where it refuses even a single block; what `read` throws
 */
export async function* readInChunks<Answer>(
  range: BlockRange,
  read: (fromBlock: bigint, toBlock: bigint) => Promise<Answer>,
): AsyncGenerator<{ fromBlock: bigint; toBlock: bigint; answer: Answer }> {
  let chunkBlocks = BigInt(range.maxChunkBlocks);
  for (let fromBlock = range.fromBlock; fromBlock <= range.toBlock; ) {
    const end = fromBlock + chunkBlocks - 1n;
    const toBlock = end < range.toBlock ? end : range.toBlock;
    let answer: Answer;
    try {
      answer = await read(fromBlock, toBlock);
    } catch (error) {
      if (!isRollupError(error, "BRG_L1_REFUSED") || chunkBlocks === 1n) throw error;
      chunkBlocks /= 2n;
      continue;
    }
    yield { fromBlock, toBlock, answer };
    fromBlock = toBlock + 1n;
    const doubled = chunkBlocks * 2n;
    chunkBlocks = doubled < range.maxChunkBlocks ? doubled : BigInt(range.maxChunkBlocks);
  }
}

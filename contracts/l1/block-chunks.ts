/**
 * Reader of a range of blocks in chunks that the node accepts: nodes limit ranges and results, each with
 * wording of its own. Event readers call it.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { larger, smaller } from "./fee-policy.ts";
import { isNodeRefusal } from "./node-refusal.ts";

export interface BlockRange {
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
  /** Maximum blocks asked for at once; fewer where the node has refused so many. */
  readonly maxChunkBlocks: number;
  /** Starts at `toBlock`. Default: at `fromBlock`. */
  readonly isNewestFirst?: boolean;
}

/** Error of a reader that found out that the node's empty answer is none: it does not show the range's first block. */
export class RangeNotShown extends Error {
  /** @param fromBlock first block of the range */
  constructor(fromBlock: bigint) {
    super(`the node does not show the logs of block ${fromBlock}`);
  }
}

/** Full chunks answered before twice as many blocks are tried again. Doubled each time the trial is refused. */
const ANSWERS_BEFORE_TRIAL = 8;
const MAX_ANSWERS_BEFORE_TRIAL = 512;

interface LearntLimit {
  chunkBlocks: number;
  /** Full chunks answered since the last change. */
  answerCount: number;
  answersBeforeTrial: number;
  isTrial: boolean;
}

/** The range that a node takes, by the client that asks it. */
const limits = new WeakMap<object, LearntLimit>();

/**
 * The answers about a range, chunk by chunk. What the node refuses is asked for in halves, and the smaller chunk is
 * remembered for this node.
 * @param node the client that `read` asks
 * @param read throws BRG_L1_REFUSED, `RangeNotShown`, or viem's error, where the node refuses so many blocks
 * @throws what `read` throws; its refusal where the node refuses even a single block
 */
export async function* readInChunks<Answer>(
  node: object,
  range: BlockRange,
  read: (fromBlock: bigint, toBlock: bigint) => Promise<Answer>,
): AsyncGenerator<{ fromBlock: bigint; toBlock: bigint; answer: Answer }> {
  const { isNewestFirst = false, maxChunkBlocks } = range;
  let { fromBlock: first, toBlock: last } = range;
  while (first <= last) {
    const chunkBlocks = Math.min(maxChunkBlocks, limits.get(node)?.chunkBlocks ?? maxChunkBlocks);
    const fromBlock = isNewestFirst ? larger(first, last - BigInt(chunkBlocks) + 1n) : first;
    const toBlock = isNewestFirst ? last : smaller(last, first + BigInt(chunkBlocks) - 1n);
    const blockCount = Number(toBlock - fromBlock + 1n);
    let answer: Answer;
    try {
      answer = await read(fromBlock, toBlock);
    } catch (error) {
      const isNotShown = error instanceof RangeNotShown;
      if (!isNotShown && !isRollupError(error, "BRG_L1_REFUSED") && !isNodeRefusal(error)) throw error;
      if (blockCount === 1) {
        // Not because of the range.
        limits.delete(node);
        throw error;
      }
      noteRefusal(node, blockCount);
      continue;
    }
    noteAnswer(node, blockCount);
    yield { fromBlock, toBlock, answer };
    if (isNewestFirst) last = fromBlock - 1n;
    else first = toBlock + 1n;
  }
}

function noteRefusal(node: object, blockCount: number): void {
  const before = limits.get(node);
  const wait = before?.answersBeforeTrial ?? ANSWERS_BEFORE_TRIAL;
  limits.set(node, {
    chunkBlocks: Math.floor(blockCount / 2),
    answerCount: 0,
    answersBeforeTrial: before?.isTrial ? Math.min(2 * wait, MAX_ANSWERS_BEFORE_TRIAL) : wait,
    isTrial: false,
  });
}

function noteAnswer(node: object, blockCount: number): void {
  const limit = limits.get(node);
  if (limit === undefined || blockCount < limit.chunkBlocks) return;
  limit.answerCount += 1;
  // A trial that holds for so long: the refusal was about a part with many events, say.
  if (limit.isTrial && limit.answerCount === ANSWERS_BEFORE_TRIAL)
    limit.answersBeforeTrial = ANSWERS_BEFORE_TRIAL;
  if (limit.answerCount < limit.answersBeforeTrial) return;
  limit.chunkBlocks *= 2;
  limit.answerCount = 0;
  limit.isTrial = true;
}

/**
 * Search of L1's logs for one event, newest blocks first: what somebody waits for came lately more often than long ago, and a
 * node may show its newest blocks alone. The search tells how far it came, so that the next one reads new blocks only. Lists of
 * events, which are whole or an error, are read by read-events.ts.
 */
import { RangeNotShown, readInChunks } from "@openledger/contracts/l1/block-chunks";
import { isNodeRefusal } from "@openledger/contracts/l1/node-refusal";
import { type Hex, hexToBigInt, numberToHex } from "viem";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { MAX_CHUNK_BLOCKS } from "./read-events.ts";

/** Blocks that a search has read, from the first to the last. It survives JSON. */
export interface SearchedBlocks {
  readonly fromBlock: number;
  readonly toBlock: number;
  /** True if the node shows no logs of earlier blocks. */
  readonly isCut: boolean;
}

export type EventSearch<Found> =
  | { readonly found: Found }
  | { readonly found: null; readonly searched: SearchedBlocks };

export interface SearchRange {
  /** First block in which the event may be. */
  readonly firstBlock: bigint;
  /** Blocks that an earlier search of the same event has read. */
  readonly searched?: SearchedBlocks | undefined;
}

/** Blocks at the head that are read again each time: a reorganisation may have put the event there. */
const REORG_BLOCKS = 64;
/** Blocks from the first of a range on that are asked for a block with logs. Ethereum's are rarely without. */
const PROBED_BLOCKS = 16n;

/**
 * Searches newest first, and goes on where an earlier search has ended.
 * @param read searches blocks for the event; null where they do not have it
 * @returns the searched blocks, `isCut` where the node shows nothing before them
 * @throws viem's error where the node refuses its newest block
 * @internal
 */
export async function searchNewestFirst<Found extends object>(
  { l1 }: Pick<LedgerClient, "l1">,
  { firstBlock, searched: before }: SearchRange,
  read: (fromBlock: bigint, toBlock: bigint) => Promise<Found | null>,
): Promise<EventSearch<Found>> {
  const head = await l1.getBlockNumber({ cacheTime: 0 });
  const first = Number(firstBlock);
  // A node that is behind the one of the last search: nothing of that counts.
  const known = before !== undefined && Number(head) >= before.toBlock - REORG_BLOCKS ? before : undefined;
  let searched: SearchedBlocks = known ?? {
    fromBlock: Number(head) + 1,
    toBlock: Number(head),
    isCut: false,
  };
  const newFrom =
    known === undefined ? first : Math.max(first, known.fromBlock, known.toBlock + 1 - REORG_BLOCKS);
  const parts = known === undefined ? [] : [{ fromBlock: newFrom, toBlock: Number(head) }];
  if (!searched.isCut) parts.push({ fromBlock: first, toBlock: searched.fromBlock - 1 });
  // A node that shows a block's logs shows those of later ones.
  let shownFrom = known?.fromBlock ?? Number.POSITIVE_INFINITY;
  for (const [i, part] of parts.entries()) {
    const isOlder = i === parts.length - 1 && !searched.isCut;
    const range = {
      fromBlock: BigInt(part.fromBlock),
      toBlock: BigInt(part.toBlock),
      maxChunkBlocks: MAX_CHUNK_BLOCKS,
      isNewestFirst: true,
    };
    const chunks = readInChunks(l1, range, async (fromBlock, toBlock) => {
      const found = await read(fromBlock, toBlock);
      if (found === null && Number(fromBlock) < shownFrom) {
        if (!(await showsLogs(l1, fromBlock, toBlock))) throw new RangeNotShown(fromBlock);
        shownFrom = Number(fromBlock);
      }
      return found;
    });
    try {
      for await (const { answer, fromBlock } of chunks) {
        searched = {
          fromBlock: Math.min(searched.fromBlock, Number(fromBlock)),
          toBlock: isOlder ? searched.toBlock : Number(head),
          isCut: searched.isCut,
        };
        if (answer !== null) return { found: answer };
      }
    } catch (error) {
      const isRefusal = error instanceof RangeNotShown || isNodeRefusal(error);
      // Nothing was read at all: the node refuses logs, whatever the block.
      if (!isRefusal || !isOlder || searched.fromBlock > Number(head)) throw error;
      searched = { ...searched, isCut: true };
    }
  }
  return { found: null, searched };
}

/**
 * Tells whether the node has the logs of a range's first blocks: nodes that have dropped old blocks may answer a range that begins
 * there by an empty list. A header says whether its block has logs (`logsBloom`, yellow paper 4.4.3), and headers stay (EIP-4444).
 * True, too, where none of `PROBED_BLOCKS` has any: on a chain as empty as that nothing tells.
 */
async function showsLogs(l1: LedgerClient["l1"], fromBlock: bigint, toBlock: bigint): Promise<boolean> {
  for (let block = fromBlock; block <= toBlock && block < fromBlock + PROBED_BLOCKS; block++) {
    const number = numberToHex(block);
    const header = await l1.request({ method: "eth_getBlockByNumber", params: [number, false] });
    if (header === null) return false;
    if (hexToBigInt(header.logsBloom ?? ("0x0" as Hex)) === 0n) continue;
    const logs = await l1.request({
      method: "eth_getLogs",
      params: [{ fromBlock: number, toBlock: number }],
    });
    return logs.length > 0;
  }
  return true;
}

/**
 * Error of a search that ended where the node's logs begin.
 * @internal
 */
export const logsCut = (
  what: string,
  { fromBlock }: SearchedBlocks,
  data: Readonly<Record<string, unknown>>,
) =>
  clientError(
    "CLI_L1_LOGS_INCOMPLETE",
    `the Ethereum node does not show blocks before ${fromBlock}, where ${what} may be`,
    { data: { server: "L1", what, firstShownBlock: fromBlock, ...data } },
  );

/**
 * Entries of L1's queue that wait for a batch, of one sender: deposits look here for an account under way, the command line for
 * money under way. Amounts are in wei.
 */
import type { Address } from "viem";
import { type LedgerClient, rollupContract } from "../../ledger-client.ts";
import { l1Error } from "./l1-result.ts";
import { logsIncomplete, readEvents } from "./read-events.ts";

export interface QueuedEntry {
  readonly queueIndex: number;
  readonly kind: number;
  readonly a: number;
  readonly amountWei: bigint;
  readonly word1: bigint;
  readonly word2: bigint;
}

/** The lower bits of a stored entry are L1's time of it. */
const TIME_BITS = 40;

/** Blocks of a development chain, which mines one for each transaction, may share their time: so many more are read. */
const SAME_TIME_BLOCKS = 1_000n;

/**
 * Entries of L1's queue that an account has made and no batch on L1 has taken, oldest first. The contract counts the entries
 * that wait: one that the node's logs leave out is missed.
 * @throws CLI_L1_LOGS_INCOMPLETE, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @internal
 */
export async function queuedEntries(client: LedgerClient, sender: Address): Promise<QueuedEntry[]> {
  const rollup = rollupContract(client);
  const found: QueuedEntry[] = [];
  const seen = new Set<bigint>();
  let head: bigint;
  let tail: bigint;
  try {
    const newest = await client.l1.getBlock({ includeTransactions: false });
    // All of one block: an entry that is newer than the last block searched would seem to be left out.
    const at = { ...rollup, blockNumber: newest.number };
    const [{ queueHead }, queueTail] = await Promise.all([
      client.l1.readContract({ ...at, functionName: "state" }),
      client.l1.readContract({ ...at, functionName: "queueTail" }),
    ]);
    [head, tail] = [BigInt(queueHead), queueTail];
    if (head >= tail) return [];
    const stored = await client.l1.readContract({ ...at, functionName: "queueEntries", args: [head] });
    // A block of Ethereum is later than the one before by a second at least, so no entry that waits is older than this.
    const maxAgeBlocks = newest.timestamp - BigInt.asUintN(TIME_BITS, stored) + SAME_TIME_BLOCKS;
    const fromBlock = newest.number > maxAgeBlocks ? newest.number - maxAgeBlocks : 0n;
    const filter = { ...rollup, eventName: "QueueEntryAdded" } as const;
    const range = { fromBlock, toBlock: newest.number, isNewestFirst: true };
    for await (const events of readEvents(client, filter, range)) {
      const waiting = events.filter(({ args }) => args.index >= head);
      for (const { args } of waiting) seen.add(args.index);
      found.push(
        ...waiting
          .filter(({ args }) => args.sender === sender)
          .map(({ args: { a, amountWei, index, kind, word1, word2 } }) => ({
            queueIndex: Number(index),
            kind,
            a,
            amountWei,
            word1,
            word2,
          })),
      );
      if (events.some(({ args }) => args.index <= head)) break;
    }
  } catch (cause) {
    throw l1Error(cause, "the look at L1's queue");
  }
  for (let index = head; index < tail; index++)
    if (!seen.has(index)) throw logsIncomplete(`queue entry ${index}`);
  return found.sort((a, b) => a.queueIndex - b.queueIndex);
}

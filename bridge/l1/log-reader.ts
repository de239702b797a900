/**
 * Reader of the rollup contract's events, in block ranges that the node accepts (contracts/l1/block-chunks.ts),
 * decoded by the ABI, in L1's order. The history, the queue watcher and the search for posted batches read through
 * it.
 */
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type BlockRange, readInChunks } from "@openledger/contracts/l1/block-chunks";
import { type Address, type Log, type ParseEventLogsReturnType, parseEventLogs } from "viem";
import { bridgeError } from "../bridge-errors.ts";
import { type L1Client, l1Call } from "./l1-client.ts";

/** A decoded event of the rollup, with its place on L1. */
export type RollupLog = ParseEventLogsReturnType<typeof rollupAbi, undefined, true>[number] & {
  readonly blockNumber: bigint;
  readonly blockHash: `0x${string}`;
  readonly transactionHash: `0x${string}`;
  readonly transactionIndex: number;
  readonly logIndex: number;
};

interface LogChunk {
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
  readonly logs: readonly RollupLog[];
}

interface LogReaderOptions extends BlockRange {
  readonly client: L1Client;
  readonly address: Address;
}

/**
 * Reads the rollup's events in L1's order, chunk by chunk.
 * @throws BRG_L1_UNREACHABLE; BRG_L1_REFUSED where the node refuses even a single block; BRG_HISTORY_UNREADABLE
 */
export async function* readRollupLogs(options: LogReaderOptions): AsyncGenerator<LogChunk> {
  const { client, address } = options;
  const chunks = readInChunks(client, options, (fromBlock, toBlock) =>
    l1Call(`read the logs of blocks ${fromBlock} to ${toBlock}`, () =>
      client.getLogs({ address, fromBlock, toBlock }),
    ),
  );
  for await (const { answer, ...range } of chunks) yield { ...range, logs: inOrder(answer) };
}

type EventName = RollupLog["eventName"];
type NamedLog<Name extends EventName> = RollupLog & { readonly eventName: Name };

/**
 * Reads the events of one name, in as few requests as the node accepts.
 * @param range `args` filters by indexed arguments
 * @throws as readRollupLogs
 */
export async function* readRollupEvents<const Name extends EventName>(
  eventName: Name,
  range: Omit<LogReaderOptions, "maxChunkBlocks"> & { readonly args?: Readonly<Record<string, bigint>> },
): AsyncGenerator<NamedLog<Name>[]> {
  const { address, args = {}, client, fromBlock, toBlock } = range;
  const event = rollupAbi.find((item) => item.type === "event" && item.name === eventName)!;
  const whole = { fromBlock, toBlock, maxChunkBlocks: Number(toBlock - fromBlock + 1n) };
  const chunks = readInChunks(client, whole, (first, last) =>
    l1Call(`read the events ${eventName} of blocks ${first} to ${last}`, () =>
      client.getLogs({
        address,
        event: event as never,
        args: args as never,
        fromBlock: first,
        toBlock: last,
      }),
    ),
  );
  for await (const { answer } of chunks) yield inOrder(answer) as NamedLog<Name>[];
}

/** The block with an event, null where there is none. @throws as readRollupLogs */
export async function findEventBlock(
  eventName: EventName,
  range: Parameters<typeof readRollupEvents>[1],
): Promise<bigint | null> {
  for await (const [found] of readRollupEvents(eventName, range))
    if (found !== undefined) return found.blockNumber;
  return null;
}

/** @param what must be in these blocks, and the node's logs do not have it */
export const logsIncomplete = (what: string, fromBlock: bigint, toBlock: bigint) =>
  bridgeError(
    "BRG_L1_LOGS_INCOMPLETE",
    `the Ethereum node's logs of blocks ${fromBlock} to ${toBlock} lack ${what}`,
    { data: { what, fromBlock: Number(fromBlock), toBlock: Number(toBlock) } },
  );

/** Events of the rollup among these logs, in L1's order. @throws BRG_HISTORY_UNREADABLE */
export function inOrder(raw: readonly Log<bigint, number, false>[]): RollupLog[] {
  const parsed = parseEventLogs({ abi: rollupAbi, logs: [...raw] }) as RollupLog[];
  if (parsed.length !== raw.length) {
    throw bridgeError(
      "BRG_HISTORY_UNREADABLE",
      `${raw.length - parsed.length} events of the rollup are unknown to this version`,
      {
        data: { knownCount: parsed.length, count: raw.length },
      },
    );
  }
  return parsed.sort((x, y) => Number(x.blockNumber - y.blockNumber) || x.logIndex - y.logIndex);
}

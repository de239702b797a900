/**
 * Reader of a contract's events in chunks of blocks, since nodes limit a request's range. Votes, proposals, queue entries and
 * the transfers of a page are found by it.
 */
import { type BlockRange, readInChunks } from "@openledger/contracts/l1/block-chunks";
import type { Abi, Address, ContractEventName, GetContractEventsReturnType } from "viem";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { l1Error } from "./l1-result.ts";

/**
 * Error of a node whose logs lack what the contract's state shows.
 * @internal
 */
export const logsIncomplete = (what: string) =>
  clientError("CLI_L1_LOGS_INCOMPLETE", `the Ethereum node's logs lack ${what}`, {
    data: { server: "L1", what },
  });

/** Blocks per request for logs. A node that refuses so many is asked for fewer. */
export const MAX_CHUNK_BLOCKS = 5_000;

interface EventFilter<Of extends Abi, Name extends ContractEventName<Of>> {
  readonly address: Address;
  readonly abi: Of;
  readonly eventName: Name;
  /** Indexed arguments. */
  readonly args?: Readonly<Record<string, unknown>>;
}

/**
 * Reads a contract's events of one name, chunk by chunk of the blocks.
 * @throws CLI_L1_REFUSED where the node refuses even a single block, CLI_UNREACHABLE
 * @internal
 */
export async function* readEvents<const Of extends Abi, Name extends ContractEventName<Of>>(
  { l1 }: Pick<LedgerClient, "l1">,
  filter: EventFilter<Of, Name>,
  range: Omit<BlockRange, "maxChunkBlocks">,
): AsyncGenerator<GetContractEventsReturnType<Of, Name, true>> {
  const chunks = readInChunks(l1, { ...range, maxChunkBlocks: MAX_CHUNK_BLOCKS }, (fromBlock, toBlock) =>
    l1.getContractEvents({ ...filter, strict: true, fromBlock, toBlock } as never),
  );
  try {
    for await (const { answer } of chunks) yield answer as never;
  } catch (cause) {
    throw l1Error(cause, `the search for ${filter.eventName}`);
  }
}

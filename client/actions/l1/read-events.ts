import { type BlockRange, readInChunks } from "@openledger/contracts/l1/block-chunks";
import type { Abi, Address, ContractEventName, GetContractEventsReturnType } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import { l1Error } from "./l1-result.ts";

/** Blocks whose logs are asked for at once. Fewer where the node refuses so many. */
export const MAX_CHUNK_BLOCKS = 5_000;

interface WantedEvents<Of extends Abi, Name extends ContractEventName<Of>> {
  readonly address: Address;
  readonly abi: Of;
  readonly eventName: Name;
  /** Indexed arguments. */
  readonly args?: Readonly<Record<string, unknown>>;
}

/**
 * A contract's events of one name, chunk by chunk of the blocks.
 * @throws CLI_L1_REFUSED where the node refuses even a single block, CLI_UNREACHABLE
 * @internal
 */
export async function* readEvents<const Of extends Abi, Name extends ContractEventName<Of>>(
  { l1 }: Pick<LedgerClient, "l1">,
  wanted: WantedEvents<Of, Name>,
  range: Omit<BlockRange, "maxChunkBlocks">,
): AsyncGenerator<GetContractEventsReturnType<Of, Name, true>> {
  const chunks = readInChunks(l1, { ...range, maxChunkBlocks: MAX_CHUNK_BLOCKS }, (fromBlock, toBlock) =>
    l1.getContractEvents({ ...wanted, strict: true, fromBlock, toBlock } as never),
  );
  try {
    for await (const { answer } of chunks) yield answer as never;
  } catch (cause) {
    throw l1Error(cause, `the search for ${wanted.eventName}`);
  }
}

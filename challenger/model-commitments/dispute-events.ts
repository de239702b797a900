/** Events of a contract of disputes, from the block that has its code on, in chunks that nodes answer. Runs in pages, too. */

import { readInChunks } from "@openledger/bridge/l1/block-chunks";
import { findDeploymentBlock } from "@openledger/bridge/l1/deployment-block";
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import type { Address, GetContractEventsReturnType, PublicClient } from "viem";

type DisputesEventName =
  | "ModelCommitted"
  | "Refuted"
  | "Attested"
  | "AvailabilityChallenged"
  | "Answered"
  | "Admitted";
export type DisputesEvents<Name extends DisputesEventName> = GetContractEventsReturnType<
  typeof disputesAbi,
  Name,
  true
>;

/** Hosted nodes answer some thousands; one that takes fewer is asked for fewer. */
const CHUNK_BLOCKS = 10_000;

export interface EventRange {
  /** Default: the block that the contract was deployed in, as the node's old states say it. */
  readonly fromBlock?: bigint;
  /** Default: the newest block. */
  readonly toBlock?: bigint;
  /** Blocks asked for at once, at most. */
  readonly maxChunkBlocks?: number;
}

/**
 * In L1's order. @param args indexed ones that the events have
 * @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED; BRG_HISTORY_UNREADABLE where there is no contract
 */
export async function readDisputeEvents<Name extends DisputesEventName>(
  client: PublicClient,
  address: Address,
  eventName: Name,
  args: Readonly<Record<string, bigint | Address>>,
  range: EventRange = {},
): Promise<DisputesEvents<Name>> {
  const toBlock =
    range.toBlock ?? (await l1Call("read the newest block", () => client.getBlockNumber({ cacheTime: 0 })));
  const fromBlock = range.fromBlock ?? (await deploymentBlock(client, address, toBlock));
  const { maxChunkBlocks = CHUNK_BLOCKS } = range;
  const found: unknown[] = [];
  const chunks = readInChunks({ fromBlock, toBlock, maxChunkBlocks }, (from, to) =>
    l1Call(`read the events ${eventName} of blocks ${from} to ${to}`, () =>
      client.getContractEvents({
        ...{ address, abi: disputesAbi, eventName, args, strict: true },
        ...{ fromBlock: from, toBlock: to },
      } as never),
    ),
  );
  for await (const { answer } of chunks) found.push(...(answer as unknown[]));
  return found as DisputesEvents<Name>;
}

const KNOWN = new WeakMap<PublicClient, Map<Address, bigint>>();

/** Asked once of a client: a contract does not move. */
export async function deploymentBlock(
  client: PublicClient,
  address: Address,
  toBlock: bigint,
): Promise<bigint> {
  const known = KNOWN.get(client) ?? new Map<Address, bigint>();
  KNOWN.set(client, known);
  const block =
    known.get(address) ?? (await findDeploymentBlock({ address, client: client as never }, toBlock));
  known.set(address, block);
  return block;
}

/** Cached reader of L1 blocks' times and randomness, for whoever replays the ledger from L1. */
import { type L1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import { hexToBigInt } from "viem";
import type { ReadBlock } from "./settlement-replay.ts";

/** Reads blocks' times and randomness from an L1 node; each once. */
export function blockReader(client: L1Client): ReadBlock {
  const known = new Map<number, ReturnType<ReadBlock>>();
  const read = async (blockNumber: number) => {
    const block = await l1Call(`read block ${blockNumber}`, () =>
      client.getBlock({ blockNumber: BigInt(blockNumber) }),
    );
    return { timestamp: block.timestamp, prevRandao: hexToBigInt(block.mixHash) };
  };
  return (blockNumber) => {
    const facts = known.get(blockNumber) ?? read(blockNumber);
    known.set(blockNumber, facts);
    return facts;
  };
}

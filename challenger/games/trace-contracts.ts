/** The games that hold back a language model's settlements until claims stand. */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address, PublicClient } from "viem";
import { readRegistry } from "../model-commitments/registry.ts";

/** Those that a registry asks, or the contract itself; null where it is neither. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
export async function readGames(client: PublicClient, address: Address): Promise<Address | null> {
  const registry = await readRegistry(client, address);
  if (registry !== null) return registry.games;
  const call = { address, abi: traceGameAbi, functionName: "settlesFor", args: [address, 0n, 0n] } as const;
  try {
    await l1Call("read what a contract of disputes judges", () => client.readContract(call));
    return address;
  } catch (error) {
    if (isRollupError(error, "BRG_CONTRACT_REVERTED")) return null;
    throw error;
  }
}

/** Whether a model of a rollup is registered for claims. @throws BRG_L1_* */
export async function isRegisteredIn(
  client: PublicClient,
  games: Address,
  rollup: Address,
  modelId: number,
): Promise<boolean> {
  const contract = { address: games, abi: traceGameAbi, functionName: "models" } as const;
  const [statics] = await client.readContract({ ...contract, args: [rollup, BigInt(modelId)] });
  return statics !== 0n;
}

import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address, PublicClient } from "viem";
import { readGame } from "../events/read-contracts.ts";
import { readRegistry } from "../model-commitments/registry.ts";

/** Those that a registry asks, or the contract itself; null where it is neither. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
export async function readGames(client: PublicClient, address: Address): Promise<Address | null> {
  const registry = await readRegistry(client, address);
  if (registry !== null) return registry.games;
  try {
    await readGame(client, address)("settlesFor", [address, 0n, 0n]);
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
  const [statics] = await readGame(client, games)("models", [rollup, BigInt(modelId)]);
  return statics !== 0n;
}

import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, zeroAddress } from "viem";
import { type L1Client, l1Call } from "./l1-client.ts";

/**
 * The contracts that say what a rollup's gate admits: the gate, and the games that it asks (ModelCommitments.sol). They never
 * change. @throws BRG_L1_*
 */
export async function readGateMembers(client: L1Client, gate: Address): Promise<readonly Address[]> {
  try {
    const games = await l1Call("read which games the gate asks", () =>
      client.readContract({ address: gate, abi: disputesAbi, functionName: "games" }),
    );
    return games === zeroAddress ? [gate] : [gate, games];
  } catch (error) {
    // Another gate has no such function, and refuses the call.
    if (isRollupError(error, "BRG_CONTRACT_REVERTED")) return [gate];
    throw error;
  }
}

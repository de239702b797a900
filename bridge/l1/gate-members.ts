import { activationGatesAbi } from "@openledger/contracts/build/disputes-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address } from "viem";
import { type L1Client, l1Call } from "./l1-client.ts";

/**
 * The contracts of disputes behind a rollup's gate: the gate alone, unless it is one of several (ActivationGates.sol). Whoever
 * watches a gate has to watch them all. They never change. @throws BRG_L1_*
 */
export async function readGateMembers(client: L1Client, gate: Address): Promise<readonly Address[]> {
  try {
    return await l1Call("read who stands behind the gate", () =>
      client.readContract({ address: gate, abi: activationGatesAbi, functionName: "members" }),
    );
  } catch (error) {
    // A contract of disputes has no such function, and refuses the call.
    if (isRollupError(error, "BRG_CONTRACT_REVERTED")) return [gate];
    throw error;
  }
}

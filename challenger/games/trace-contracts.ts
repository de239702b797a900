/** Which contracts behind a gate hold back a language model's settlements until claims stand. */

import { readGateMembers } from "@openledger/bridge/l1/gate-members";
import { type L1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address, PublicClient } from "viem";

/** The contract itself, or those behind a gate, in the gate's order. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
export async function readTraceContracts(client: PublicClient, address: Address): Promise<Address[]> {
  const members = await readGateMembers(client as L1Client, address);
  const judges = await Promise.all(members.map((member) => judgesSettlements(client, member)));
  return members.filter((_, i) => judges[i]);
}

async function judgesSettlements(client: PublicClient, address: Address): Promise<boolean> {
  const call = { address, abi: traceGameAbi, functionName: "settlesFor", args: [address, 0n, 0n] } as const;
  try {
    await l1Call("read what a contract of disputes judges", () => client.readContract(call));
    return true;
  } catch (error) {
    if (isRollupError(error, "BRG_CONTRACT_REVERTED")) return false;
    throw error;
  }
}

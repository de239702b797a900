/** Which contracts of disputes stand behind an address, and which kind of models each judges. Runs in pages, too. */

import { readGateMembers } from "@openledger/bridge/l1/gate-members";
import { type L1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import { directDisputesAbi, disputesAbi, textDisputesAbi } from "@openledger/contracts/build/disputes-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address, PublicClient } from "viem";

export interface GateContract {
  readonly address: Address;
  /** Of the models whose model commitments it judges. */
  readonly kind: "direct" | "text";
}

/**
 * The contract itself, or all that stand behind a gate, in the gate's order. What takes no model commitments of models, a contract of
 * another sort of disputes say, is left out. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED
 */
export async function readGateContracts(client: PublicClient, address: Address): Promise<GateContract[]> {
  const members = await readGateMembers(client as L1Client, address);
  const kinds = await Promise.all(members.map((member) => kindOf(client, member)));
  return members.flatMap((member, i) => (kinds[i] === null ? [] : [{ address: member, kind: kinds[i]! }]));
}

/** By what only this kind has: games over rows, or judges alone. */
async function kindOf(client: PublicClient, address: Address): Promise<GateContract["kind"] | null> {
  const has = (read: () => Promise<unknown>) =>
    l1Call("read what a contract of disputes judges", read).then(
      () => true,
      (error: unknown) => {
        if (isRollupError(error, "BRG_CONTRACT_REVERTED")) return false;
        throw error;
      },
    );
  if (!(await has(() => client.readContract({ address, abi: disputesAbi, functionName: "texts" }))))
    return null;
  if (await has(() => client.readContract({ address, abi: textDisputesAbi, functionName: "games" })))
    return "text";
  const judge = { address, abi: directDisputesAbi, functionName: "judges", args: [0n] } as const;
  return (await has(() => client.readContract(judge))) ? "direct" : null;
}

import { formatEther } from "viem";
import { readPostings } from "../../../client/disputing/read-postings.ts";
import { disputesAbi } from "../../../contracts/build/disputes-abi.ts";
import { commandError } from "../../cli/cli-errors.ts";
import { parseAddress } from "../../cli/context.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { disputesSenderOf } from "./disputes-sender.ts";

/**
 * Bonds of the account's postings that count, then all that the contract owes it: rewards, fees and bonds.
 * @throws CMD_USAGE where there is nothing
 */
export async function withdrawOwed({ options, args, output }: CommandContext<object>): Promise<void> {
  const sender = await disputesSenderOf(options, parseAddress(args[0]!));
  const { address: who, disputes: address, publicClient } = sender;
  const contract = { address, abi: disputesAbi } as const;
  const returned: bigint[] = [];
  for (const { id, owner, state } of await readPostings(publicClient, address)) {
    if (owner !== who || state !== "counts") continue;
    const [, , , bondWei] = await publicClient.readContract({
      ...{ ...contract, functionName: "postings", args: [id] },
    });
    if (bondWei === 0n) continue;
    output.progress(`returning the bond of posting ${id}`);
    await sender.send({ functionName: "returnBond", args: [id] });
    returned.push(id);
  }
  const owedWei = await publicClient.readContract({ ...contract, functionName: "owedWei", args: [who] });
  if (owedWei === 0n) throw commandError("CMD_USAGE", `${address} owes nothing to ${who}`);
  const sent = await sender.send({ functionName: "withdraw", args: [who] });
  const ofBonds = returned.length === 0 ? "" : `, with the bonds of ${returned.join(", ")}`;
  output.answer([`${formatEther(owedWei)} ETH are paid to ${who}${ofBonds}; L1 transaction ${sent.hash}`], {
    ...{ paidWei: owedWei, to: who, bondsOf: returned },
    ...sent,
  });
}

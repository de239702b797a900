import { readGames } from "@openledger/challenger/games/trace-contracts";
import { readModelCommitments } from "@openledger/challenger/model-commitments/read-model-commitments";
import { readRegistry } from "@openledger/challenger/model-commitments/registry";
import { type DisputesSender, disputesSenderOf } from "@openledger/challenger/playing/disputes-sender";
import { sendingTo } from "@openledger/challenger/playing/trace-sender";
import { type Paid, withdrawFromGames } from "@openledger/challenger/playing/withdraw-from-games";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { formatEther } from "viem";
import { commandError } from "../../cli/cli-errors.ts";
import { parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import type { CommandContext } from "../../cli/run-command.ts";

/**
 * Bonds of the account's model commitments that count, then all that the contract owes it: rewards, fees and bonds.
 * @throws CMD_USAGE where there is nothing
 */
export async function withdrawOwed({ options, args, output }: CommandContext<object>): Promise<void> {
  const given = parseAddress(args[0]!);
  const { address: who, publicClient } = await l1SenderOf(options);
  const paid: Paid[] = [];
  if ((await readRegistry(publicClient, given)) !== null) {
    const one = await withdrawFrom(await disputesSenderOf(await l1SenderOf(options), given), output);
    if (one !== null) paid.push(one);
  }
  const games = await readGames(publicClient, given);
  if (games !== null) {
    const one = await withdrawFromGames(sendingTo(await l1SenderOf(options), games), output.progress);
    if (one !== null) paid.push(one);
  }
  if (paid.length === 0) throw commandError("CMD_USAGE", `${given} owes nothing to ${who}`);
  const lines = paid.map(({ bondsOf, hash, paidWei }) => {
    const ofBonds = bondsOf.length === 0 ? "" : `, with the bonds of ${bondsOf.join(", ")}`;
    return `${formatEther(paidWei)} ETH are paid to ${who}${ofBonds}; L1 transaction ${hash}`;
  });
  const paidWei = paid.reduce((sum, one) => sum + one.paidWei, 0n);
  output.answer(lines, { paidWei, to: who, withdrawals: paid });
}

/** null where the contract owes nothing. */
async function withdrawFrom(
  sender: DisputesSender,
  output: CommandContext<object>["output"],
): Promise<Paid | null> {
  const { address: who, disputes: address, publicClient } = sender;
  const contract = { address, abi: disputesAbi } as const;
  const returned: bigint[] = [];
  for (const { id, owner, state } of await readModelCommitments(publicClient, address)) {
    if (owner !== who || state !== "counts") continue;
    const [, , , bondWei] = await publicClient.readContract({
      ...{ ...contract, functionName: "modelCommitments", args: [id] },
    });
    if (bondWei === 0n) continue;
    output.progress(`returning the bond of model commitment ${id}`);
    await sender.send({ functionName: "returnBond", args: [id] });
    returned.push(id);
  }
  const owedWei = await publicClient.readContract({ ...contract, functionName: "owedWei", args: [who] });
  if (owedWei === 0n) return null;
  const { gasUsed, hash } = await sender.send({ functionName: "withdraw", args: [who] });
  return { disputes: address, paidWei: owedWei, bondsOf: returned, gasUsed, hash };
}

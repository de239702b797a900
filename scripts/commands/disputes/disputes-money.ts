import { type Address, encodeFunctionData, formatEther, type Hex } from "viem";
import { GameReader, sameAddress } from "../../../challenger/games/read-games.ts";
import { readTraceContracts } from "../../../challenger/games/trace-contracts.ts";
import { rowContractsBehind } from "../../../challenger/playing/disputes-contracts.ts";
import { type DisputesSender, disputesSenderOf } from "../../../challenger/playing/disputes-sender.ts";
import { type GameAccount, sendingTo } from "../../../challenger/playing/trace-sender.ts";
import { readGateContracts } from "../../../challenger/postings/gate-contracts.ts";
import { readPostings } from "../../../challenger/postings/read-postings.ts";
import { l1SenderOf } from "../../../challenger/sending/l1-sender.ts";
import { disputesAbi } from "../../../contracts/build/disputes-abi.ts";
import { traceGameAbi } from "../../../contracts/build/trace-abi.ts";
import { commandError } from "../../cli/cli-errors.ts";
import { parseAddress } from "../../cli/context.ts";
import type { CommandContext } from "../../cli/run-command.ts";

/**
 * Bonds of the account's postings that count, then all that the contract owes it: rewards, fees and bonds.
 * @throws CMD_USAGE where there is nothing
 */
export async function withdrawOwed({ options, args, output }: CommandContext<object>): Promise<void> {
  const given = parseAddress(args[0]!);
  const { address: who, publicClient } = await l1SenderOf(options);
  const paid: Paid[] = [];
  for (const { address } of await readGateContracts(publicClient, given)) {
    const one = await withdrawFrom(await disputesSenderOf(options, address), output);
    if (one !== null) paid.push(one);
  }
  const rowGames = (await rowContractsBehind(publicClient, given)).map(({ games }) => games);
  for (const address of [...(await readTraceContracts(publicClient, given)), ...rowGames]) {
    const one = await withdrawFromGames(sendingTo(await l1SenderOf(options), address), output);
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

interface Paid {
  readonly disputes: Address;
  readonly paidWei: bigint;
  /** Postings or claims whose bonds are among it. */
  readonly bondsOf: readonly bigint[];
  readonly hash: Hex;
  readonly gasUsed: bigint;
}

/** null where the contract owes nothing. */
async function withdrawFrom(
  sender: DisputesSender,
  output: CommandContext<object>["output"],
): Promise<Paid | null> {
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
  if (owedWei === 0n) return null;
  const { gasUsed, hash } = await sender.send({ functionName: "withdraw", args: [who] });
  return { disputes: address, paidWei: owedWei, bondsOf: returned, gasUsed, hash };
}

/** Bonds of his claims that stand, stakes of his games about claims that another has refuted, and what is owed. */
export async function withdrawFromGames(
  { address: who, game: address, publicClient, send }: GameAccount,
  output: Pick<CommandContext<object>["output"], "progress">,
): Promise<Paid | null> {
  const contract = { address, abi: traceGameAbi } as const;
  const call = (functionName: "returnBond" | "returnStake" | "withdraw", args: readonly unknown[]) =>
    send(
      { data: encodeFunctionData({ abi: traceGameAbi, functionName, args } as never), valueWei: 0n },
      functionName,
    );
  const reader = new GameReader(publicClient, address);
  const { claims } = await reader.claims();
  const bondsOf: bigint[] = [];
  for (const { claimId, isRefuted, owner } of claims) {
    if (isRefuted || !sameAddress(owner, who)) continue;
    const args = [claimId] as const;
    const [, , , , bondWei] = await publicClient.readContract({ ...contract, functionName: "claims", args });
    if (bondWei === 0n) continue;
    if (!(await publicClient.readContract({ ...contract, functionName: "stands", args }))) continue;
    output.progress(`returning the bond of claim ${claimId}`);
    await call("returnBond", [claimId]);
    bondsOf.push(claimId);
  }
  const refuted = claims.filter(({ isRefuted }) => isRefuted).map(({ claimId }) => claimId);
  for (const { challenger, gameId, turn } of (await reader.games(refuted)).games) {
    if (turn === "over" || !sameAddress(challenger, who)) continue;
    output.progress(`returning the stake of game ${gameId}`);
    await call("returnStake", [gameId]);
  }
  const owedWei = await publicClient.readContract({ ...contract, functionName: "owedWei", args: [who] });
  if (owedWei === 0n) return null;
  const { gasUsed, hash } = await call("withdraw", [who]);
  return { disputes: address, paidWei: owedWei, bondsOf, gasUsed, hash };
}

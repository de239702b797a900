import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { type Address, encodeFunctionData, type Hex } from "viem";
import { GameReader, sameAddress } from "../games/read-games.ts";
import type { GameAccount } from "./trace-sender.ts";

/** What a contract of disputes has paid to an account. */
export interface Paid {
  readonly disputes: Address;
  readonly paidWei: bigint;
  /** Postings or claims whose bonds are among it. */
  readonly bondsOf: readonly bigint[];
  readonly hash: Hex;
  readonly gasUsed: bigint;
}

/**
 * Returns the bonds of the account's claims that stand, and the stakes of its games about claims that another has refuted.
 * Then pays what the contract owes. null where it owes nothing.
 */
export async function withdrawFromGames(
  { address: who, game: address, publicClient, send }: GameAccount,
  onProgress: (line: string) => void,
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
    onProgress(`returning the bond of claim ${claimId}`);
    await call("returnBond", [claimId]);
    bondsOf.push(claimId);
  }
  const refuted = claims.filter(({ isRefuted }) => isRefuted).map(({ claimId }) => claimId);
  for (const { challenger, gameId, turn } of (await reader.games(refuted)).games) {
    if (turn === "over" || !sameAddress(challenger, who)) continue;
    onProgress(`returning the stake of game ${gameId}`);
    await call("returnStake", [gameId]);
  }
  const owedWei = await publicClient.readContract({ ...contract, functionName: "owedWei", args: [who] });
  if (owedWei === 0n) return null;
  const { gasUsed, hash } = await call("withdraw", [who]);
  return { disputes: address, paidWei: owedWei, bondsOf, gasUsed, hash };
}

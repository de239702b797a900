import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, encodeFunctionData, type Hex } from "viem";
import { GameReader } from "../games/read-games.ts";
import type { GameAccount } from "./trace-sender.ts";

/** What a contract of disputes has paid to an account. */
export interface Paid {
  readonly disputes: Address;
  readonly paidWei: bigint;
  /** Model commitments or claims whose bonds are among it. */
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
  const reader = new GameReader(publicClient, address, { who });
  const { claims } = await reader.claims();
  const bondsOf: bigint[] = [];
  for (const { bondWei, claimId } of claims) {
    const args = [claimId] as const;
    if (bondWei === 0n) continue;
    if (!(await publicClient.readContract({ ...contract, functionName: "stands", args }))) continue;
    onProgress(`returning the bond of claim ${claimId}`);
    await call("returnBond", [claimId]);
    bondsOf.push(claimId);
  }
  for (const { gameId, turn } of (await reader.games()).games) {
    if (turn === "over") continue;
    // Refused, and not sent, while nothing else has decided about what the game is about.
    const refusal = await call("returnStake", [gameId]).catch((error: unknown) => error);
    if (refusal instanceof Error && !isRollupError(refusal, "CLI_L1_REVERTED")) throw refusal;
    if (!(refusal instanceof Error)) onProgress(`returned the stake of game ${gameId}`);
  }
  const owedWei = await publicClient.readContract({ ...contract, functionName: "owedWei", args: [who] });
  if (owedWei === 0n) return null;
  const { gasUsed, hash } = await call("withdraw", [who]);
  return { disputes: address, paidWei: owedWei, bondsOf, gasUsed, hash };
}

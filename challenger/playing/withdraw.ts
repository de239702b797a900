/** Takes back what contracts of disputes owe to an account: bonds of what counts, stakes, fees and rewards. */

import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, encodeFunctionData, formatEther, type Hex } from "viem";
import { GameReader, sameAddress } from "../games/read-games.ts";
import type { WindowReader } from "../model-commitments/read-windows.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { disputesSenderOf } from "./disputes-sender.ts";
import { sendingTo } from "./trace-sender.ts";

/** What a contract of disputes has paid to an account. */
export interface Paid {
  readonly disputes: Address;
  readonly paidWei: bigint;
  /** Model commitments or claims whose bonds are among it. */
  readonly bondsOf: readonly bigint[];
  readonly hash: Hex;
  readonly gasUsed: bigint;
  /** The same for people. */
  readonly line: string;
}

interface Owing {
  readonly sender: Pick<L1Sender, "address" | "publicClient" | "send">;
  /** null for none. */
  readonly registry: WindowReader | null;
  readonly game: Address | null;
  /** Whose claims and games are looked through; null for all of the account's. */
  readonly reader: GameReader | null;
}

/** Of each contract what it owes; empty where none does. */
export async function withdrawAll(
  { game, reader, registry, sender }: Owing,
  onProgress: (line: string) => void,
): Promise<readonly Paid[]> {
  const paid: Paid[] = [];
  if (registry !== null) paid.push(...(await fromRegistry(sender, registry, onProgress)));
  if (game !== null) paid.push(...(await fromGames(sender, game, reader, onProgress)));
  return paid;
}

function paidOf(
  who: Address,
  disputes: Address,
  paidWei: bigint,
  bondsOf: readonly bigint[],
  { gasUsed, hash }: { readonly hash: Hex; readonly gasUsed: bigint },
): Paid {
  const ofBonds = bondsOf.length === 0 ? "" : `, with the bonds of ${bondsOf.join(", ")}`;
  const line = `${formatEther(paidWei)} ETH are paid to ${who}${ofBonds}; L1 transaction ${hash}`;
  return { disputes, paidWei, bondsOf, hash, gasUsed, line };
}

async function fromRegistry(
  owing: Owing["sender"],
  registry: WindowReader,
  onProgress: (line: string) => void,
): Promise<Paid[]> {
  const { address } = registry;
  const sender = await disputesSenderOf(owing, address);
  const { address: who, publicClient } = sender;
  const contract = { address, abi: disputesAbi } as const;
  const bondsOf: bigint[] = [];
  for (const { id, owner, state } of await registry.windows()) {
    if (!sameAddress(owner, who) || state !== "counts") continue;
    const [, , , bondWei] = await publicClient.readContract({
      ...{ ...contract, functionName: "modelCommitments", args: [id] },
    });
    if (bondWei === 0n) continue;
    onProgress(`returning the bond of model commitment ${id}`);
    await sender.send({ functionName: "returnBond", args: [id] });
    bondsOf.push(id);
  }
  const owedWei = await publicClient.readContract({ ...contract, functionName: "owedWei", args: [who] });
  if (owedWei === 0n) return [];
  const sent = await sender.send({ functionName: "withdraw", args: [who] });
  return [paidOf(who, address, owedWei, bondsOf, sent)];
}

/** Returns bonds of claims that count, and stakes of games about claims that another has refuted, before it withdraws. */
async function fromGames(
  owing: Owing["sender"],
  address: Address,
  given: GameReader | null,
  onProgress: (line: string) => void,
): Promise<Paid[]> {
  const { address: who, publicClient, send } = sendingTo(owing, address);
  const contract = { address, abi: traceGameAbi } as const;
  const call = (functionName: "returnBond" | "returnStake" | "withdraw", args: readonly unknown[]) =>
    send(
      { data: encodeFunctionData({ abi: traceGameAbi, functionName, args } as never), valueWei: 0n },
      functionName,
    );
  const reader = given ?? new GameReader(publicClient, address, { who });
  const { claims } = await reader.claims();
  const bondsOf: bigint[] = [];
  for (const { bondWei, claimId, owner } of claims) {
    const args = [claimId] as const;
    if (bondWei === 0n || !sameAddress(owner, who)) continue;
    if (!(await publicClient.readContract({ ...contract, functionName: "stands", args }))) continue;
    onProgress(`returning the bond of claim ${claimId}`);
    await call("returnBond", [claimId]);
    bondsOf.push(claimId);
  }
  for (const { challenger, gameId, turn } of (await reader.games()).games) {
    if (turn === "over" || !sameAddress(challenger, who)) continue;
    // Refused, and not sent, while nothing else has decided about what the game is about.
    const refusal = await call("returnStake", [gameId]).catch((error: unknown) => error);
    if (refusal instanceof Error && !isRollupError(refusal, "CLI_L1_REVERTED")) throw refusal;
    if (!(refusal instanceof Error)) onProgress(`returned the stake of game ${gameId}`);
  }
  const owedWei = await publicClient.readContract({ ...contract, functionName: "owedWei", args: [who] });
  if (owedWei === 0n) return [];
  return [paidOf(who, address, owedWei, bondsOf, await call("withdraw", [who]))];
}

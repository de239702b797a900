/** Takes back what contracts of disputes owe to an account: bonds of what counts, stakes, fees and rewards. */

import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, encodeFunctionData, formatEther, type Hex } from "viem";
import { readDisputes, readGame } from "../events/read-contracts.ts";
import { GameReader, sameAddress } from "../games/read-games.ts";
import type { WindowReader } from "../model-commitments/read-windows.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { type GameAccount, sendingTo } from "./trace-sender.ts";

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
  if (registry !== null)
    paid.push(...(await fromRegistry(sendingTo(sender, registry.address), registry, onProgress)));
  if (game !== null) paid.push(...(await fromGames(sendingTo(sender, game), reader, onProgress)));
  return paid;
}

/** Those that registry and games have alike, and of games the stake. */
const moneyCall = (functionName: "returnBond" | "returnStake" | "withdraw", args: readonly unknown[]) => ({
  data: encodeFunctionData({ abi: traceGameAbi, functionName, args } as never),
  valueWei: 0n,
});

async function withdrawn(
  { address: who, game: disputes, publicClient, send }: GameAccount,
  bondsOf: readonly bigint[],
): Promise<Paid[]> {
  const paidWei = await readGame(publicClient, disputes)("owedWei", [who]);
  if (paidWei === 0n) return [];
  const { gasUsed, hash } = await send(moneyCall("withdraw", [who]), "withdraw");
  const ofBonds = bondsOf.length === 0 ? "" : `, with the bonds of ${bondsOf.join(", ")}`;
  const line = `${formatEther(paidWei)} ETH are paid to ${who}${ofBonds}; L1 transaction ${hash}`;
  return [{ disputes, paidWei, bondsOf, hash, gasUsed, line }];
}

async function fromRegistry(
  account: GameAccount,
  registry: WindowReader,
  onProgress: (line: string) => void,
): Promise<Paid[]> {
  const { address: who, game: address, publicClient, send } = account;
  const bondsOf: bigint[] = [];
  for (const { id, owner, state } of (await registry.windows()).windows) {
    if (!sameAddress(owner, who) || state !== "counts") continue;
    const [, , , bondWei] = await readDisputes(publicClient, address)("modelCommitments", [id]);
    if (bondWei === 0n) continue;
    onProgress(`returning the bond of model commitment ${id}`);
    await send(moneyCall("returnBond", [id]), "returnBond");
    bondsOf.push(id);
  }
  return withdrawn(account, bondsOf);
}

/** Returns bonds of claims that count, and stakes of games about claims that another has refuted, before it withdraws. */
async function fromGames(
  account: GameAccount,
  given: GameReader | null,
  onProgress: (line: string) => void,
): Promise<Paid[]> {
  const { address: who, game: address, publicClient, send } = account;
  const reader = given ?? new GameReader(publicClient, address, { who });
  const { claims } = await reader.claims();
  const bondsOf: bigint[] = [];
  for (const { bondWei, claimId, owner } of claims) {
    if (bondWei === 0n || !sameAddress(owner, who)) continue;
    if (!(await readGame(publicClient, address)("stands", [claimId]))) continue;
    onProgress(`returning the bond of claim ${claimId}`);
    await send(moneyCall("returnBond", [claimId]), "returnBond");
    bondsOf.push(claimId);
  }
  for (const { challenger, gameId, turn } of (await reader.games()).games) {
    if (turn === "over" || !sameAddress(challenger, who)) continue;
    // Refused, and not sent, while nothing else has decided about what the game is about.
    const refusal = await send(moneyCall("returnStake", [gameId]), "returnStake").catch(
      (error: unknown) => error,
    );
    if (refusal instanceof Error && !isRollupError(refusal, "CLI_L1_REVERTED")) throw refusal;
    if (!(refusal instanceof Error)) onProgress(`returned the stake of game ${gameId}`);
  }
  return withdrawn(account, bondsOf);
}

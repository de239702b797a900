/** What games over posted rows have found: anyone takes it to the contract of the postings (docs/explanation/fault-proofs.md). */

import { rowTracesAbi, textDisputesAbi } from "@openledger/contracts/build/disputes-abi";
import { encodeFunctionData, type Hex, type PublicClient } from "viem";
import { type ClaimedModel, sameAddress } from "../games/read-games.ts";
import { readPostings } from "../postings/read-postings.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import type { RowContracts } from "./disputes-contracts.ts";
import { sendingTo } from "./trace-sender.ts";

interface BroughtVerdict {
  readonly posting: bigint;
  readonly hash: Hex;
  readonly gasUsed: bigint;
}

/** What games over rows say of a posting. */
export interface RowVerdict {
  readonly openGames: number;
  /** The row that a game has refuted first; null for none. */
  readonly lostRow: number | null;
}

export async function readVerdict(
  client: PublicClient,
  { games }: Pick<RowContracts, "games">,
  id: bigint,
): Promise<RowVerdict> {
  const call = { address: games, abi: rowTracesAbi, functionName: "verdicts", args: [id] } as const;
  const [openGames, isLost, row] = await client.readContract(call);
  return { openGames, lostRow: isLost ? row : null };
}

/** The call that refutes a posting by a game that was lost. */
export const verdictCall = (id: bigint): Hex =>
  encodeFunctionData({ abi: textDisputesAbi, functionName: "challengeRow", args: [id] });

/** For all postings of a model that a game has refuted, and that still stand. Of one that is refused the others are brought. */
export async function bringVerdicts(
  sender: Pick<L1Sender, "address" | "publicClient" | "send">,
  contracts: RowContracts,
  { modelId, rollup }: ClaimedModel,
): Promise<{ readonly brought: readonly BroughtVerdict[]; readonly failures: readonly unknown[] }> {
  const { publicClient } = sender;
  const { send } = sendingTo(sender, contracts.disputes);
  const brought: BroughtVerdict[] = [];
  const failures: unknown[] = [];
  const postings = await readPostings(publicClient, contracts.disputes, { modelId: Number(modelId) });
  for (const posting of postings) {
    const { id, state } = posting;
    // Attack: games that a liar loses against himself, about models of a contract that calls itself a rollup.
    if (state !== "open" || !sameAddress(posting.rollup, rollup)) continue;
    try {
      const { lostRow } = await readVerdict(publicClient, contracts, id);
      if (lostRow === null) continue;
      brought.push({ posting: id, ...(await send({ data: verdictCall(id), valueWei: 0n }, "the verdict")) });
    } catch (error) {
      failures.push(error);
    }
  }
  return { brought, failures };
}

/** What games over posted rows have found: anyone takes it to the contract of the postings (docs/lm-disputes.md). */
import { encodeFunctionData, type Hex, type PublicClient } from "viem";
import { readPostings } from "../../../client/disputing/read-postings.ts";
import { rowTracesAbi, textDisputesAbi } from "../../../contracts/build/disputes-abi.ts";
import type { L1Sender } from "../../cli/l1-sender.ts";
import type { RowContracts } from "./disputes-contracts.ts";
import { sendingTo } from "./trace-sender.ts";

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

/** For all postings of a model that a game has refuted, and that still stand. @throws as `sendingTo` says */
export async function bringVerdicts(
  sender: Pick<L1Sender, "address" | "publicClient" | "send">,
  contracts: RowContracts,
  modelId: number,
): Promise<{ readonly posting: bigint; readonly hash: Hex; readonly gasUsed: bigint }[]> {
  const { publicClient } = sender;
  const { send } = sendingTo(sender, contracts.disputes);
  const brought = [];
  for (const { id, state } of await readPostings(publicClient, contracts.disputes, { modelId })) {
    if (state !== "open") continue;
    const { lostRow } = await readVerdict(publicClient, contracts, id);
    if (lostRow === null) continue;
    brought.push({ posting: id, ...(await send({ data: verdictCall(id), valueWei: 0n }, "the verdict")) });
  }
  return brought;
}

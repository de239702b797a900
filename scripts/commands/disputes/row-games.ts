/** Begins games over posted rows, and takes their verdicts to the contract of the postings (docs/lm-disputes.md). */
import { type Address, formatEther, type PublicClient } from "viem";
import type { RowGames } from "../../../client/disputing/watch-postings.ts";
import { rowTracesAbi } from "../../../contracts/build/disputes-abi.ts";
import { GameReader, sameAddress } from "../../../models/disputing/read-games.ts";
import { challengeRowCall } from "../../../models/disputing/text-calls.ts";
import { mostStakeFor } from "../../../models/disputing/trace-player.ts";
import { commandError } from "../../cli/cli-errors.ts";
import type { L1Sender } from "../../cli/l1-sender.ts";
import type { RowContracts } from "./disputes-contracts.ts";
import { readVerdict, verdictCall } from "./row-verdicts.ts";
import type { TextPostings } from "./text-postings.ts";
import { sendingTo } from "./trace-sender.ts";

/** @param mostStakeWei of one challenge; default: as in games over queries */
export function rowGamesOf(
  sender: Pick<L1Sender, "address" | "publicClient" | "send">,
  contracts: RowContracts,
  postings: TextPostings,
  mostStakeWei?: bigint,
): RowGames {
  const { games } = contracts;
  const { address: account, publicClient, send } = sendingTo(sender, games);
  const reader = new GameReader(publicClient, games);
  return {
    async verdictOf(id) {
      const { lostRow } = await readVerdict(publicClient, contracts, id);
      return lostRow === null ? null : verdictCall(id);
    },
    async challenge({ id, modelId, rollup }, { own, posted }, row) {
      const played = await turnsOf(reader, publicClient, games, { id, row, account });
      if (played.some((turn) => turn !== "over")) return "open";
      if (played.length > 0) return "lost";
      const call = {
        address: games,
        abi: rowTracesAbi,
        functionName: "stakeForPosting",
        args: [id],
      } as const;
      const valueWei = await publicClient.readContract(call);
      const mostWei = mostStakeWei ?? (await mostStakeFor(publicClient, games));
      if (valueWei > mostWei)
        throw commandError(
          "CMD_USAGE",
          `row ${row} is false, and not challenged: that takes a stake of ${formatEther(valueWei)} ETH, and at most ${formatEther(mostWei)} are given`,
        );
      const { terms, traced } = postings.of(own);
      const model = { ...traced.model, rollup, modelId: BigInt(modelId) };
      const data = challengeRowCall(id, posted, model, terms, row);
      return send({ data, valueWei }, `the challenge of row ${row}`);
    },
  };
}

/** Of this account's games about a posted row. */
async function turnsOf(
  reader: GameReader,
  client: PublicClient,
  games: Address,
  { account, id, row }: { readonly account: Address; readonly id: bigint; readonly row: number },
) {
  const call = { address: games, abi: rowTracesAbi, functionName: "claimOf" } as const;
  const claimId = await client.readContract({ ...call, args: [id, BigInt(row)] });
  if (claimId === 0n) return [];
  const read = await reader.games([claimId]);
  // One that cannot be read may be his.
  if (read.failures.length > 0) throw read.failures[0]!.error;
  return read.games.filter(({ challenger }) => sameAddress(challenger, account)).map(({ turn }) => turn);
}

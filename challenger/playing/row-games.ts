/** Begins games over posted rows, and takes their verdicts to the contract of the postings (docs/explanation/fault-proofs.md). */

import { rowTracesAbi } from "@openledger/contracts/build/disputes-abi";
import { type Address, formatEther, type Hex, type PublicClient, toHex } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { tracingDigest } from "../games/ledger-claims.ts";
import { type ClaimedModel, GameReader, sameAddress } from "../games/read-games.ts";
import { challengeRowCall } from "../games/text-calls.ts";
import { readRowTokens } from "../games/text-row-tokens.ts";
import { mostStakeFor } from "../games/trace-player.ts";
import type { RowGames } from "../postings/watch-postings.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { wordsOf } from "../trace/word-tree.ts";
import type { RowContracts } from "./disputes-contracts.ts";
import { readVerdict, verdictCall } from "./row-verdicts.ts";
import type { TextPostings } from "./text-postings.ts";
import { sendingTo } from "./trace-sender.ts";

/** Whose rows this process plays. */
interface PlayedRows {
  /** null plays nothing. */
  readonly rollup: Address | null;
  /** What the statics of a model bind of the trace, where its games over rows are played here; null where they are not. */
  rowsPlayed(model: ClaimedModel): Hex | null;
}

export function rowGamesOf(
  sender: Pick<L1Sender, "address" | "publicClient" | "send">,
  contracts: RowContracts,
  postings: TextPostings,
  players: PlayedRows,
): RowGames {
  const { games } = contracts;
  const { address: account, publicClient, send } = sendingTo(sender, games);
  const reader = new GameReader(publicClient, games);
  return {
    async verdictOf({ id, rollup }) {
      if (players.rollup === null || !sameAddress(players.rollup, rollup)) return null;
      const { lostRow } = await readVerdict(publicClient, contracts, id);
      return lostRow === null ? null : verdictCall(id);
    },
    async challenge({ id, modelId, rollup, statement }, { own, posted }, row) {
      const named = { rollup, modelId: BigInt(modelId) };
      const { terms, traced } = postings.of(own);
      // Attack: a stake in a game that nobody plays is its owner's. Postings of any rollup, and other files than those that
      // are registered, would lead to one.
      const digest = toHex(statement.roots.weights);
      const played = players.rowsPlayed(named);
      if (played === null)
        return { unplayed: "not challenged, since this watch plays no games of its model" };
      if (played !== digest || tracingDigest(terms) !== digest)
        return {
          unplayed: "not challenged, since the model that is served is another one than the posting's",
        };
      const turns = await turnsOf(reader, publicClient, games, { id, named, account });
      if (turns.some((turn) => turn !== "over")) return "open";
      // Why he lost, nobody knows: another stake may be lost as the first one was.
      if (turns.length > 0)
        return { unplayed: "not challenged, since this account has lost a game about the posting" };
      const tokens = readRowTokens(posted.leaves.tokens[row]!);
      if (
        tokens === null ||
        Buffer.compare(wordsOf(traced.featuresOf(tokens)), posted.leaves.map[row]!) === 0
      )
        throw challengerError("CMD_USAGE", `row ${row} is not challenged: its trace ends as it is posted`);
      const call = {
        address: games,
        abi: rowTracesAbi,
        functionName: "stakeForPosting",
        args: [id],
      } as const;
      const valueWei = await publicClient.readContract(call);
      const mostWei = await mostStakeFor(publicClient, games);
      if (valueWei > mostWei)
        throw challengerError(
          "CMD_USAGE",
          `row ${row} is false, and not challenged: that takes a stake of ${formatEther(valueWei)} ETH, and at most ${formatEther(mostWei)} are given`,
        );
      const data = challengeRowCall(id, posted, { ...traced.model, ...named }, terms, row);
      return send({ data, valueWei }, `the challenge of row ${row}`);
    },
  };
}

/** Of this account's games about a posting's rows. */
async function turnsOf(
  reader: GameReader,
  client: PublicClient,
  games: Address,
  { account, id, named }: { readonly account: Address; readonly id: bigint; readonly named: ClaimedModel },
) {
  const { claims, failures } = await reader.claims(named);
  const read = await reader.games(claims.map(({ claimId }) => claimId));
  // One that cannot be read may be his.
  for (const { error } of [...failures, ...read.failures]) throw error;
  const turns = [];
  for (const { challenger, claimId, turn } of read.games) {
    if (!sameAddress(challenger, account)) continue;
    const call = { address: games, abi: rowTracesAbi, functionName: "rowOf", args: [claimId] } as const;
    const [posting] = await client.readContract(call);
    // Of a row that was refuted the verdict is still to be brought: nothing is lost.
    const isWon = claims.some((claim) => claim.claimId === claimId && claim.isRefuted);
    if (posting === id) turns.push(isWon ? "won" : turn);
  }
  return turns;
}

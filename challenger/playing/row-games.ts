/** Begins games over posted rows (docs/explanation/fault-proofs.md). */

import { type Address, type Hex, toHex } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { tracingDigest } from "../games/claims/ledger-claims.ts";
import type { LedgerModel } from "../games/claims/traced-model.ts";
import { type GameReader, rowOfKey, sameAddress } from "../games/read-games.ts";
import { challengeRowCall } from "../games/rows/text-calls.ts";
import { readRowTokens } from "../games/rows/text-row-tokens.ts";
import { NO_CLAIM, stakeFor } from "../games/trace-contracts.ts";
import type { GameState } from "../games/trace-moves.ts";
import type { RowGames } from "../model-commitments/watch-commitment.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { wordsOf } from "../trace/word-tree.ts";
import type { TextModelCommitments } from "./text-model-commitments.ts";
import { sendingTo } from "./trace-sender.ts";

/** What is played over rows of a model commitment already. */
export interface RowsPlayed {
  /** What the statics of its model bind of the trace, where games over its rows are played here; null where they are not. */
  readonly digest: Hex | null;
  /** The most that one challenge may cost. Default: eight times the first one's. */
  readonly mostStakeWei?: bigint | undefined;
  /** Of this account's games about its rows. */
  turns(): Promise<readonly GameState["turn"][]>;
}

export function rowGamesOf(
  sender: Pick<L1Sender, "address" | "publicClient" | "send">,
  games: Address,
  modelCommitments: TextModelCommitments,
  played: RowsPlayed,
): RowGames {
  const { publicClient, send } = sendingTo(sender, games);
  return {
    stakeWei: () => stakeFor(publicClient, games, { claimId: NO_CLAIM }),
    async challenge({ id, modelId, rollup, statement }, shown, row) {
      const named = { rollup, modelId: BigInt(modelId) };
      const { posted } = shown;
      const { terms, traced } = modelCommitments.of(shown)!;
      // Attack: a stake in a game that nobody plays is its owner's. Model commitments of any rollup, and other files than those that
      // are registered, would lead to one.
      const digest = toHex(statement.roots.weights);
      if (played.digest === null)
        return { unplayed: "not challenged, since this watch plays no games of its model" };
      if (played.digest !== digest || tracingDigest(terms) !== digest)
        return {
          unplayed:
            "not challenged, since the model that is served is another one than the model commitment's",
        };
      const turns = await played.turns();
      if (turns.some((turn) => turn !== "over")) return "open";
      // Why he lost, nobody knows: another stake may be lost as the first one was.
      if (turns.length > 0)
        return { unplayed: "not challenged, since this account has lost a game about the model commitment" };
      const tokens = readRowTokens(posted.leaves.tokens[row]!);
      if (
        tokens === null ||
        Buffer.compare(wordsOf(traced.featuresOf(tokens)), posted.leaves.map[row]!) === 0
      )
        throw challengerError("CMD_USAGE", `row ${row} is not challenged: its trace ends as it is posted`);
      const valueWei = await stakeFor(publicClient, games, { modelCommitment: id, row }, played.mostStakeWei);
      const data = challengeRowCall(id, posted, { ...traced.model, ...named }, terms, row);
      return send({ data, valueWei }, `the challenge of row ${row}`);
    },
  };
}

/** @returns the account's games about rows of a model commitment, by whose turn it is @throws what one of them cannot be read for */
export async function rowTurnsOf(
  reader: GameReader,
  { account, id, named }: { readonly account: Address; readonly id: bigint; readonly named: LedgerModel },
): Promise<readonly GameState["turn"][]> {
  const { claims, failures } = await reader.claims(named);
  const rows = claims.filter(({ isRow, key }) => isRow && rowOfKey(key).modelCommitment === id);
  const read = await reader.games(rows.map(({ claimId }) => claimId));
  // One that cannot be read may be his.
  for (const { error } of [...failures, ...read.failures]) throw error;
  return read.games.filter(({ challenger }) => sameAddress(challenger, account)).map(({ turn }) => turn);
}

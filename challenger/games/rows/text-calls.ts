/** Challenges of a language model's posted rows as calls of the registry, and of LedgerTraces (docs/explanation/fault-proofs.md). */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { bytesToHex, encodeFunctionData, type Hex } from "viem";
import type { CommittedModel, TreeName } from "../../statements/committed-model.ts";
import {
  challengeData,
  factsOf,
  openingOf,
  sharedShown,
  statementTuple,
} from "../../statements/model-commitment-calls.ts";
import { WordTree } from "../../trace/word-tree.ts";
import type { TracedTuple } from "../claims/ledger-claims.ts";
import { claimOfText, type DescribedModel } from "../claims/traced-model.ts";
import type { KnownText, TextFault } from "./text-faults.ts";
import { readRowTokens, rowTokensCall } from "./text-row-tokens.ts";

/** What a challenge shows of the model besides its model commitment: of what is found without it, nothing. */
type ShownText = Pick<KnownText, "terms"> & { readonly traced: Pick<KnownText["traced"], "vocabulary"> };

/** Wrong places that one transaction shows. */
export type ShownFault = Exclude<TextFault, { kind: "row" }>;

/** The transaction's data that shows one wrong place. Needs `initPoseidon`. @param owned the version's rows */
export function textChallengeData(
  id: bigint,
  posted: CommittedModel,
  owned: readonly OwnedRow[],
  known: ShownText | null,
  fault: ShownFault,
): Hex {
  const statement = statementTuple(posted.statement);
  const open = (tree: TreeName, index: number) => openingOf(posted, tree, index);
  const contentOf = (row: number) => openingOf(posted, "rows", row, owned[row]!.content);
  const challenge = (functionName: string, ...shown: unknown[]) =>
    challengeData("text", id, functionName, [statement, ...shown]);
  switch (fault.kind) {
    case "entry": {
      const { column, row } = fault;
      return challenge("entry", row, column, open("map", row), open("facts", row), open("features", row));
    }
    case "peak":
      return challenge("peak", fault.row, open("facts", fault.row), open("features", fault.row));
    case "scale":
      return challenge("scale", factsOf(posted));
    case "statics":
      return challenge("statics", bytesToHex(Buffer.concat(posted.leaves.points)), known!.terms);
    case "tokens": {
      const { found, row } = fault;
      // Without a vocabulary no fault of tokens is found.
      const { tokens } = readRowTokens(posted.leaves.tokens[row]!) ?? { tokens: [] };
      const shown = {
        statement,
        traced: known!.terms,
        row,
        content: contentOf(row),
        leaf: open("tokens", row),
      };
      const { args, functionName } = rowTokensCall(known!.traced.vocabulary!, shown, tokens, found);
      return challengeData("text", id, functionName, args);
    }
    default:
      return challenge(fault.kind, ...sharedShown(posted, owned, fault));
  }
}

/**
 * The call of LedgerTraces that opens a game over a row's real features, or goes on with the one that is open. Paid with a stake.
 * @param model under the rollup for which it was posted @param terms as it is registered
 * @throws RangeError for a row whose tokens no trace has
 */
export function challengeRowCall(
  id: bigint,
  posted: CommittedModel,
  model: DescribedModel,
  terms: TracedTuple,
  row: number,
): Hex {
  const tokens = readRowTokens(posted.leaves.tokens[row]!);
  if (tokens === null) throw new RangeError(`row ${row} of model commitment ${id} has no list of tokens`);
  const root = bytesToHex(new WordTree(posted.leaves.map[row]!).root);
  const { path, statement } = claimOfText(model, tokens, root);
  const openings = [openingOf(posted, "tokens", row), openingOf(posted, "map", row)] as const;
  const args = [
    id,
    BigInt(row),
    statementTuple(posted.statement),
    terms,
    statement,
    path,
    ...openings,
  ] as const;
  return encodeFunctionData({ abi: traceGameAbi, functionName: "challengeRow", args });
}

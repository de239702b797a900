/**
 * `openledger verify settlement`: recomputes an epoch's settlement from payments, openings, features and L1's randomness, and
 * compares it to the wei. Watchers run the same check.
 */
import { isQueryOfBase } from "@openledger/attribution/model/recipe-fields";
import { openModelScores } from "@openledger/attribution/scores/model-scores";
import type { RanMode, ScoreChoice } from "@openledger/attribution/scores/score-engine";
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import { type GlobalOptions, openReader, resolveEndpoints } from "../../cli/context.ts";
import { oldHeadLines } from "../../cli/old-head.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseEpoch, parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { requireScores } from "../../cli/scores-option.ts";
import { type CheckOptions, checkSettlement } from "./settlement-check.ts";

export interface RecomputeOptions extends CheckOptions {
  scores: string;
}

/** Prints draws, earnings, and how the scores were computed. */
export async function recomputeSettlement({
  options,
  args,
  output,
}: CommandContext<RecomputeOptions>): Promise<void> {
  const target = { modelId: parseId(args[0]!), epoch: parseEpoch(args[1]!) };
  const { scoreMode, verified } = await recomputeEpoch(await openReader(options), target, options, output);
  const { leaf, payments, sampled, settlement } = verified;
  const foreignDraws = drawsOfForeignQueries(verified);
  const warnings = await oldHeadLines(resolveEndpoints(options).rpcUrl);
  const lines = [
    ...warnings,
    ...foreignDraws.map(
      (draw) => `⚠ draw ${draw} has a query that no answer of this model makes: its base columns are not 255`,
    ),
    `the settlement of epoch ${target.epoch} of model ${target.modelId} is right: payments, randomness, draws, scores, totals and proof`,
    `scores computed by ${scoreMode}, and equal in plain integers`,
    `${settlement.circuit}, L1 transaction ${settlement.l1TransactionHash}, ${formatOpen(payments.at(-1)?.cumulativeWei ?? 0n)} OPEN of ${payments.length} payments`,
    ...renderTable([
      ["draw", "payment", "payer", "receipt", ""],
      ...sampled.draws.map(({ paymentIndex, isValid }, k) => [
        String(k),
        String(paymentIndex),
        `leaf ${payments[paymentIndex]!.payerId}`,
        hex32(payments[paymentIndex]!.receipt),
        isValid ? "opened" : "void: burned",
      ]),
    ]),
    ...renderTable([
      ["payee", "contributor", "validator", "rows", "earned (OPEN)"],
      ...presentPayees(leaf.payees).map(([, payee]) => [
        String(payee.index),
        `leaf ${payee.contributorId}`,
        `leaf ${payee.validatorId}`,
        String(payee.rowCount),
        formatOpen(sampled.earnedWei[payee.index]!),
      ]),
    ]),
    `owner ${formatOpen(sampled.terms.ownerWei)}, treasury ${formatOpen(sampled.terms.treasuryWei)}, burned ${formatOpen(sampled.data.burnedWei)} OPEN`,
  ];
  output.answer(lines, {
    ...target,
    circuit: settlement.circuit,
    l1TransactionHash: settlement.l1TransactionHash,
    scoreMode,
    isHeadOld: warnings.length > 0,
    seed: hex32(sampled.data.seed),
    foreignDraws,
    draws: sampled.draws.map(({ paymentIndex, isValid, isEven }) => ({ paymentIndex, isValid, isEven })),
    earnedWei: sampled.earnedWei,
    ownerWei: sampled.terms.ownerWei,
    treasuryWei: sampled.terms.treasuryWei,
    burnedWei: sampled.data.burnedWei,
  });
}

/**
 * Computes an epoch's settlement again, and the scores of its draws by the chosen mode.
 * @throws CLI_SETTLEMENT_DIFFERS naming the first difference; as `checkSettlement`
 */
export async function recomputeEpoch(
  client: LedgerClient,
  target: { modelId: number; epoch: number },
  options: RecomputeOptions & GlobalOptions,
  output: Output,
) {
  const choice = requireScores(options.scores);
  const verified = await checkSettlement(client, target, options, output);
  return { verified, scoreMode: await scoreAgain(verified, choice) };
}

/** Opened draws that take a row's base as something else than the model does. The proof holds none the less. */
function drawsOfForeignQueries({
  model,
  openings,
  payments,
  sampled,
}: Awaited<ReturnType<typeof checkSettlement>>): number[] {
  return [...sampled.draws.keys()].filter((draw) => {
    const { isValid, paymentIndex } = sampled.draws[draw]!;
    return isValid && !isQueryOfBase(model.recipe, openings.get(payments[paymentIndex]!.receipt)!.query);
  });
}

/**
 * The scores of every opened draw by the chosen mode, compared with those that the settlement was made with.
 * @returns what ran. @throws ATT_SCORE_MODE_UNAVAILABLE, CLI_SETTLEMENT_DIFFERS
 */
async function scoreAgain(
  { model, openings, payments, sampled }: Awaited<ReturnType<typeof checkSettlement>>,
  choice: ScoreChoice,
): Promise<RanMode> {
  const engine = await openModelScores(model.features, choice);
  try {
    for (const [draw, { isValid, paymentIndex, scores }] of sampled.draws.entries()) {
      if (!isValid) continue;
      const { query } = openings.get(payments[paymentIndex]!.receipt)!;
      const computed = await engine.scores(query);
      const row = computed.findIndex((score, i) => BigInt(score) !== scores[i]);
      if (row < 0) continue;
      throw clientError(
        "CLI_SETTLEMENT_DIFFERS",
        `draw ${draw}, row ${rowNumber(row)}: ${engine.mode} has another score`,
        {
          data: { what: "scores", draw, row, mode: engine.mode },
        },
      );
    }
    return engine.mode;
  } finally {
    engine.close();
  }
}

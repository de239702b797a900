/** Whether a direct model's drawn payments pay by what was asked: everybody can compare whose prompts are published. */
import { isDirect } from "@openledger/attribution/features/direct-rows";
import type { DirectRecipe } from "@openledger/attribution/model/direct-recipe";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { judgePrompt, type PromptVerdict } from "@openledger/attribution/scores/drawn-prompts";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { isDirectQuery, modelQueryCommitment } from "@openledger/circuits/ledger/model-query";
import { receiptHash } from "@openledger/circuits/ledger/receipt";
import { drawSeed } from "@openledger/circuits/settlement/draw-seed";
import { drawnPlaces } from "@openledger/circuits/settlement/settlement-split";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { staticsOf } from "@openledger/client/sequencer/model-reads";
import type { Openings } from "./model-openings.ts";
import { provable } from "./prepare-settlement.ts";
import { readRandomEpoch } from "./verify-settlement.ts";

/**
 * Of a draw: as `judgePrompt` says; or its receipt is opened to nothing (unopened), to something that it does not hash
 * (false-opening), or to a class that is not the model's answer (false-answer). No settlement pays by the last three.
 */
export type DrawVerdict = PromptVerdict | "unopened" | "false-opening" | "false-answer";

export interface JudgedDraw {
  readonly draw: number;
  readonly paymentIndex: number;
  readonly payerId: number;
  readonly receipt: bigint;
  readonly verdict: DrawVerdict;
}

export type JudgeDrawsErrorCode = "CLI_NOT_DIRECT" | "CLI_TOO_EARLY";

/**
 * The draws of a sealed epoch, settled or not, by the randomness that L1 has. Needs `initPoseidon`.
 * @throws CLI_NOT_DIRECT, CLI_TOO_EARLY while there is no randomness
 * @example
 * ```ts
 * const judged = await judgeDraws(client, { modelId: 11, epoch: 1 }, { model: published, openings });
 * console.log(judged.filter(({ verdict }) => verdict === "dictated"));
 * ```
 */
export async function judgeDraws(
  client: LedgerClient,
  { epoch, modelId }: { readonly modelId: number; readonly epoch: number },
  published: { readonly model: Pick<PublishedModel, "features" | "recipe">; readonly openings: Openings },
): Promise<JudgedDraw[]> {
  const { model, openings } = published;
  if (!isDirect(model.features))
    throw clientError("CLI_NOT_DIRECT", `model ${modelId} is not direct: its queries need its files`, {
      data: { modelId },
    });
  const rollup = new RollupContract({
    client: createPatientL1Client({ rpcUrl: client.chain.rpcUrls.default.http[0]! }),
    address: client.rollupAddress,
  });
  const { leaf, payments, prevRandao, sealed } = await readRandomEpoch(client, rollup, { epoch, modelId });
  if (prevRandao === null)
    throw clientError("CLI_TOO_EARLY", `nothing of epoch ${epoch} of model ${modelId} is drawn yet`, {
      data: { modelId, epoch },
    });
  const { drawCount } = leaf.model;
  const statics = staticsOf(leaf).hash;
  const seed = drawSeed({ ...sealed, prevRandao, modelId });
  const cumulativeWei = payments.map((payment) => payment.cumulativeWei);
  return drawnPlaces(seed, drawCount, sealed.amountWei, cumulativeWei).map((paymentIndex, draw) => {
    const { payerId, receipt } = payments[paymentIndex]!;
    const judge = (): DrawVerdict => {
      const opening = openings.get(receipt);
      if (opening === undefined) return "unopened";
      const { answerHash, prompt, query, salt } = opening;
      if (!isDirectQuery(query)) return "false-opening";
      const queryCommitment = modelQueryCommitment(query);
      if (receiptHash({ statics, payerId, answerHash, queryCommitment, salt }) !== receipt)
        return "false-opening";
      if (provable(opening, model.features) === undefined) return "false-answer";
      return judgePrompt(model.recipe as DirectRecipe, { answerHash, prompt, query });
    };
    return { draw, paymentIndex, payerId, receipt, verdict: judge() };
  });
}

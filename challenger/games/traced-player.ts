/**
 * A player who knows one registered language model: he compares prompts with its vocabulary, and claimed queries and posted rows
 * with its traces.
 */

import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import { answerFault, answerMoveOf } from "./claims/answer-fault.ts";
import type { TracedTuple } from "./claims/ledger-claims.ts";
import { faultOfPrompt, refutePromptCall } from "./claims/prompt-tokens.ts";
import {
  asRow,
  type LedgerModel,
  namesModel,
  textOf,
  traceQuery,
  tracingKernels,
} from "./claims/traced-model.ts";
import type { TracedTextModel } from "./claims/traced-text.ts";
import type { ShownClaim } from "./read-games.ts";
import { type PlayerOptions, TracePlayer } from "./trace-player.ts";

interface TracedPlayerOptions
  extends Pick<
    PlayerOptions,
    "publicClient" | "game" | "account" | "challenges" | "mostTraced" | "mostStakeWei" | "reader" | "right"
  > {
  readonly model: LedgerModel;
  /** As it is registered. */
  readonly terms: TracedTuple;
  /** The model's numbers, when a trace needs them: reading them takes minutes. */
  readonly open: () => Promise<{
    readonly traced: Pick<TracedTextModel, "isPromptOf" | "model" | "vocabulary">;
    readonly kernels: KernelChoice;
  }>;
  readonly onProgress: (line: string) => void;
}

export function tracedPlayer(options: TracedPlayerOptions): TracePlayer {
  const { onProgress, open, terms, ...given } = options;
  return new TracePlayer({
    ...given,
    refutePrompt: refutationOf,
    answerMove: (query) => {
      // Drawn tokens are not compared on L1, and a row's are nobody's answer: its trace claims no query.
      const isQuery = query.claimedOp === query.program.length - 1;
      const fault = terms.isLikeliest && isQuery ? answerFault(query) : null;
      return fault && answerMoveOf(terms, query, fault);
    },
    traceOf: async ({ claimId, isRow, statement }) => {
      const { kernels, traced } = await open();
      const { model } = traced;
      if (!namesModel(model, statement)) return null;
      onProgress(`tracing claim ${claimId}${isRow ? ", of a row" : ""}`);
      const query = traceQuery(model, textOf(statement), tracingKernels(kernels, model));
      return isRow ? asRow(query) : query;
    },
  });

  async function refutationOf({ claimId, shown, statement }: ShownClaim, warn: (why: string) => void) {
    if (shown === null) return null;
    const { traced } = await open();
    const { vocabulary } = traced;
    const claimed = { claimId, statement, ...shown };
    // Without a vocabulary L1 compares nothing: that is where only a warning is left.
    if (vocabulary !== null) {
      const fault = faultOfPrompt(vocabulary, claimed);
      if (fault !== null) return refutePromptCall(vocabulary, terms, claimed, fault);
    }
    if (!traced.isPromptOf(claimed.prompt, textOf(statement)))
      warn("its tokens are not the prompt's, and no rule shows it on L1");
    return null;
  }
}

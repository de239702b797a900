/**
 * A player who knows one registered language model: he compares prompts with its vocabulary, and queries or posted rows with its
 * traces.
 */

import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import type { Hex } from "viem";
import { answerFault, showAnswerCall } from "./answer-fault.ts";
import type { TracedTuple } from "./ledger-claims.ts";
import { faultOfPrompt, refutePromptCall } from "./prompt-tokens.ts";
import type { ClaimState } from "./read-games.ts";
import { type PlayerOptions, TracePlayer } from "./trace-player.ts";
import { asRow, namesModel, textOf, traceQuery, tracingKernels } from "./traced-model.ts";
import type { TracedTextModel } from "./traced-text.ts";

interface TracedPlayerOptions
  extends Pick<
    PlayerOptions,
    "publicClient" | "game" | "account" | "challenges" | "mostTraced" | "mostStakeWei"
  > {
  readonly traced: Pick<TracedTextModel, "isPromptOf" | "model" | "vocabulary">;
  /** What the contract's claims are about: RowTraces has rows of G. Default: queries, as LedgerTraces has. */
  readonly about?: "queries" | "rows";
  /** As it is registered. */
  readonly terms: TracedTuple;
  readonly kernels: KernelChoice;
  readonly onProgress: (line: string) => void;
}

export function tracedPlayer(options: TracedPlayerOptions): TracePlayer {
  const { about, kernels, onProgress, terms, traced } = options;
  const { model, vocabulary } = traced;
  const { account, challenges, game, publicClient } = options;
  return new TracePlayer({
    ...{ publicClient, game, account, challenges, model },
    ...(options.mostTraced === undefined ? {} : { mostTraced: options.mostTraced }),
    ...(options.mostStakeWei === undefined ? {} : { mostStakeWei: options.mostStakeWei }),
    refutePrompt: refutationOf,
    answerMove: (query) => {
      // Drawn tokens are not compared on L1.
      const fault = terms.isLikeliest ? answerFault(query) : null;
      return fault && ((gameId, statement) => showAnswerCall(gameId, statement, terms, query, fault));
    },
    traceOf: ({ claimId, statement }) => {
      if (!namesModel(model, statement)) return null;
      onProgress(`tracing claim ${claimId}${about === "rows" ? ", of a row" : ""}`);
      const query = traceQuery(model, textOf(statement), tracingKernels(kernels, model));
      return about === "rows" ? asRow(query) : query;
    },
  });

  function refutationOf({ claimId, shown, statement }: ClaimState, warn: (why: string) => void): Hex | null {
    if (shown === null) return null;
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

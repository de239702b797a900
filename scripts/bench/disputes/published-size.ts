/** A game over a query of a model of GPT-2's shape, 124 million parameters and 50,257 tokens, of made weights. */
import { smallModel, startTraceGame } from "@openledger/challenger/internal/games/testing/trace-fixture";
import type { TraceOp } from "@openledger/challenger/internal/trace/trace-op";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";
import { playGame } from "./language-game.ts";

/** https://huggingface.co/openai-community/gpt2/blob/main/config.json */
export const GPT2 = {
  model_type: "gpt2",
  vocab_size: 50_257,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
  n_positions: 1_024,
  layer_norm_epsilon: 1e-5,
};
const FEATURE_COUNT = 256;
const RANK = 4;

export const publishedSize: DisputesPart = { name: "gpt2", measure };

async function measure({ tokens }: DisputesBenchOptions) {
  console.log("making 124 million weights");
  const made = await smallModel(GPT2, tokens, { rank: RANK, featureCount: FEATURE_COUNT });
  const f = await startTraceGame();
  try {
    const { rounds, ...measured } = await playGame(f, made, tokens, lastOfLoss);
    // Most of the process at any time, weights and both traces included.
    const peakMiB = Math.round(process.resourceUsage().maxRSS / 1_024);
    console.log(`${peakMiB.toLocaleString("en")} MiB at most, of which a liar's own trace is a part`);
    return { fields: { gpt2: { ...measured, peakMiB, rounds } }, besides: {} };
  } finally {
    await f.stop();
  }
}

/** The last piece of the powers of e: a number that only long rows of logits have. */
function lastOfLoss(program: readonly TraceOp[]): number {
  const loss = program.findIndex(({ kind }) => kind === "crossEntropy");
  return program.findLastIndex(
    ({ kind, sources }, place) => place < loss && kind === "lanes" && sources.length === 2,
  );
}

/**
 * Generation of one answer at a time with a loaded model, without a batch: comparisons, samples of a training run, the command
 * line and models of the ledger use it. Prompt and answer are token ids.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { computeLogits, readTokens, type Transformer } from "../../engine/architecture/transformer.ts";
import { chooseToken, type Sampling } from "../../engine/batches/choose-token.ts";

interface GenerateOptions extends Omit<Sampling, "endTokens" | "topP"> {
  readonly tokenCount: number;
  readonly seed: string;
  /** Ends the answer, and is not part of it. */
  readonly endToken?: number | null;
  readonly furtherEndTokens?: readonly number[] | undefined;
}

/**
 * Tokens that follow a prompt, one by one; each costs one token's pass, for earlier keys and values are kept. Same
 * model, prompt and options, same tokens.
 *
 * @throws RollupError MOD_INPUT_INVALID if prompt and answer are longer than the workspace's rows
 */
export function* generate(
  model: Transformer,
  prompt: readonly number[],
  { endToken, furtherEndTokens = [], seed, tokenCount, ...sampling }: GenerateOptions,
): Generator<number> {
  const random = new SeededRandom(`generate ${seed}`);
  const answer: number[] = [];
  const endTokens = endToken == null ? [] : [endToken, ...furtherEndTokens];
  readTokens(model, prompt);
  let last = prompt.length - 1;
  for (let i = 0; i < tokenCount; i++) {
    const logits = computeLogits(model, last, 1).subarray(0, model.shape.vocabularySize);
    const token = chooseToken(logits, { ...sampling, topP: 1, endTokens }, random, answer);
    if (endTokens.includes(token)) return;
    answer.push(token);
    yield token;
    if (i + 1 === tokenCount) return;
    readTokens(model, [token], prompt.length + i);
    last = 0;
  }
}

/** The first of the largest. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (const [token, logit] of logits.entries()) if (logit > logits[best]!) best = token;
  return best;
}

import { exactExp } from "@openledger/attribution/maths/exact-math";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { computeLogits, readTokens, type Transformer } from "../architecture/transformer.ts";

interface GenerateOptions {
  readonly tokenCount: number;
  /** 0: always the likeliest token. */
  readonly temperature: number;
  readonly seed: string;
  /** Ends the answer, and is not part of it. */
  readonly endToken?: number;
}

/**
 * Tokens that follow a prompt, one by one; each costs one token's pass, for earlier keys and values are kept. Same
 * model, prompt and options, same tokens.
 *
 * @throws RollupError MOD_INPUT_INVALID where prompt and answer are longer than the workspace's rows
 */
export function* generate(
  model: Transformer,
  prompt: readonly number[],
  { endToken, seed, temperature, tokenCount }: GenerateOptions,
): Generator<number> {
  const random = new SeededRandom(`generate ${seed}`);
  readTokens(model, prompt);
  let last = prompt.length - 1;
  for (let i = 0; i < tokenCount; i++) {
    const logits = computeLogits(model, last, 1).subarray(0, model.shape.vocabularySize);
    const token = temperature > 0 ? draw(logits, temperature, random) : likeliest(logits);
    if (token === endToken) return;
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

function draw(logits: Float32Array, temperature: number, random: SeededRandom): number {
  const most = logits[likeliest(logits)]!;
  const weights = Float64Array.from(logits, (logit) => exactExp((logit - most) / temperature));
  let left = random.nextFraction() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [token, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return token;
  }
  return weights.length - 1;
}

/**
 * Sampling of the next token from logits: temperature, nucleus (Holtzman et al. 2020), no repeated n-grams; and
 * log-probabilities for OpenAI's API, in nats. Exponentials and random numbers are exact, so that every machine chooses the same
 * token.
 */
import { exactExp, exactLog } from "@openledger/attribution/maths/exact-math";
import type { SeededRandom } from "@openledger/attribution/maths/seeded-random";

export interface Sampling {
  /** 0: always the likeliest token. */
  readonly temperature: number;
  /** The likeliest tokens that have this part of the probability together; 1 for all. */
  readonly topP: number;
  /**
   * Length of a run of tokens that an answer does not repeat; an answer does not begin with its end either. Absent: no
   * rule.
   */
  readonly noRepeat?: number | undefined;
  readonly endTokens?: readonly number[];
}

/**
 * The tokens that would end a run of `length` tokens which the answer has already, however the two overlap: as transformers'
 * no_repeat_ngram_size has it, but that a prompt's own runs may be answered.
 */
function repeatedBy(answer: readonly number[], length: number): number[] {
  const last = answer.length - length + 1;
  const tokens: number[] = [];
  for (let at = 0; at < last; at++) {
    let same = 0;
    while (same < length - 1 && answer[at + same] === answer[last + same]) same++;
    if (same === length - 1) tokens.push(answer[at + same]!);
  }
  return tokens;
}

/**
 * A token by its logits: the same ones, settings and random numbers give the same token on every machine.
 *
 * @param answer so far @param isOpen which tokens may be chosen; absent: all
 */
export function chooseToken(
  logits: Float32Array,
  { endTokens = [], noRepeat, temperature, topP }: Sampling,
  random: SeededRandom,
  answer: readonly number[] = [],
  isOpen: (token: number) => boolean = () => true,
): number {
  const closed = noRepeat === undefined ? [] : answer.length === 0 ? endTokens : repeatedBy(answer, noRepeat);
  const mayBe = (token: number) => !closed.includes(token) && isOpen(token);
  let best = 0;
  while (!mayBe(best)) best++;
  let max = logits[best]!;
  for (let token = best + 1; token < logits.length; token++) {
    const logit = logits[token]!;
    if (!(logit > max && mayBe(token))) continue;
    best = token;
    max = logit;
  }
  if (temperature === 0) return best;
  const likely: { token: number; weight: number }[] = [];
  let all = 0;
  for (let token = 0; token < logits.length; token++) {
    if (!mayBe(token)) continue;
    const weight = exactExp((logits[token]! - max) / temperature);
    all += weight;
    likely.push({ token, weight });
  }
  if (topP < 1) {
    likely.sort((a, b) => b.weight - a.weight || a.token - b.token);
    const nucleusWeight = topP * all;
    let held = 0;
    let count = 0;
    while (count < likely.length && (count === 0 || held < nucleusWeight)) held += likely[count++]!.weight;
    likely.length = count;
    all = held;
  }
  let left = random.nextFraction() * all;
  for (const { token, weight } of likely) {
    left -= weight;
    if (left < 0) return token;
  }
  return likely.at(-1)!.token;
}

export interface TokenLogprob {
  readonly token: number;
  readonly logprob: number;
}

/** The logarithm of a token's probability, and those of the likeliest: as the model has them, before any settings. */
export function logprobsOf(logits: Float32Array, token: number, topCount: number) {
  const max = logits.reduce((a, b) => Math.max(a, b));
  const all = exactLog(logits.reduce((sum, logit) => sum + exactExp(logit - max), 0));
  const of = (one: number): TokenLogprob => ({ token: one, logprob: logits[one]! - max - all });
  const top: number[] = [];
  for (const [one, logit] of topCount === 0 ? [] : logits.entries()) {
    if (top.length === topCount && logit <= logits[top.at(-1)!]!) continue;
    if (top.length === topCount) top.pop();
    const after = top.findIndex((other) => logits[other]! < logit);
    top.splice(after < 0 ? top.length : after, 0, one);
  }
  return { ...of(token), top: top.map(of) };
}

export type TokenLogprobs = ReturnType<typeof logprobsOf>;

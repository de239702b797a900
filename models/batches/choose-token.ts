import { exactExp } from "@openledger/attribution/maths/exact-math";
import type { SeededRandom } from "@openledger/attribution/maths/seeded-random";

export interface Sampling {
  /** 0: always the likeliest token. */
  readonly temperature: number;
  /** The likeliest tokens that have this part of the probability together; 1 for all. */
  readonly topP: number;
}

/**
 * A token by its logits: the same ones, settings and random numbers give the same token on every machine. With a topP of 1
 * it is the one that models/training/generate.ts draws.
 */
export function chooseToken(
  logits: Float32Array,
  { temperature, topP }: Sampling,
  random: SeededRandom,
): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token]! > logits[best]!) best = token;
  if (temperature === 0) return best;
  const most = logits[best]!;
  const likely: { token: number; weight: number }[] = [];
  let all = 0;
  for (let token = 0; token < logits.length; token++) {
    const weight = exactExp((logits[token]! - most) / temperature);
    all += weight;
    likely.push({ token, weight });
  }
  if (topP < 1) {
    likely.sort((a, b) => b.weight - a.weight || a.token - b.token);
    const wanted = topP * all;
    let held = 0;
    let count = 0;
    while (count < likely.length && (count === 0 || held < wanted)) held += likely[count++]!.weight;
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

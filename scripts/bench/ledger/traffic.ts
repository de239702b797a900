/**
 * Operations as `npm run bench -- ledger` simulates them: who pays whom among 262,144 accounts and 16 models. A seed decides
 * them.
 */
export const ACCOUNTS = 262_144;
export const MODELS = 16;

export const TRAFFIC = ["payments", "zipf", "uniform"] as const;
export type Traffic = (typeof TRAFFIC)[number];

/** Ids of models; no account has one of them. */
const modelId = (index: number): number => 1000 + index * 1000;

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws ids with probability 1 / rank; ranks are spread over the ids. */
function zipf(random: () => number): () => number {
  const sums = new Float64Array(ACCOUNTS);
  let total = 0;
  for (let i = 0; i < ACCOUNTS; i++) sums[i] = total += 1 / (i + 1);
  const ids = Uint32Array.from(sums, (_, i) => i);
  for (let i = ACCOUNTS - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [ids[i], ids[j]] = [ids[j]!, ids[i]!];
  }
  return () => {
    const point = random() * total;
    let [low, high] = [0, ACCOUNTS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < point) low = middle + 1;
      else high = middle;
    }
    return ids[low]!;
  };
}

/** Draws who pays and who is paid. */
export function simulate(traffic: Traffic, seed = 12_345): () => [from: number, to: number] {
  const random = seeded(seed);
  const uniform = () => Math.floor(random() * ACCOUNTS);
  if (traffic === "uniform") return () => [uniform(), uniform()];
  if (traffic === "payments") return () => [uniform(), modelId(Math.floor(random() * MODELS))];
  const skewed = zipf(random);
  return () => [skewed(), skewed()];
}

/**
 * Fuzzes the native kernels of language models (models/engine/kernels/native) with sizes and places of every kind: each is
 * refused, or stays in its arena.
 */
import type { FuzzRandom } from "./fuzz-random.ts";

export type KernelAddon = { sets(): string[]; kernels(): string[] } & Record<
  string,
  (...args: unknown[]) => unknown
>;

interface KernelCounts {
  calls: number;
  ran: number;
  refused: number;
}

/** Numbers that each takes after the set and the arena. */
const ARGUMENTS: Record<string, number> = {
  copy: 3,
  clear: 2,
  multiply: 12,
  multiplyRounded: 11,
  normalise: 9,
  normaliseBack: 10,
  rotate: 7,
  softmax: 5,
  softmaxBack: 6,
  gate: 5,
  gateBack: 6,
  gelu: 3,
  geluBack: 4,
  addRow: 4,
  sumRows: 4,
  add: 3,
  scale: 3,
  crossEntropy: 7,
  adam: 6,
  adamTangent: 9,
  applyAdapters: 11,
  attendPages: 17,
  quantise: 4,
  multiplyBlocks: 9,
  multiplyBack: 8,
  unpack: 6,
  useLargePages: 0,
};
const ARENA_FLOATS = 4096;
/** The first numbers are sizes: over nothing, or with strides of 0, no bound refuses large ones, and they loop for minutes. */
const [SIZES, MAX_SIZE] = [6, 80];
const ODD = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32, 2 ** 40, 1e12, 1e300];

export function fuzzKernels(addon: KernelAddon, random: FuzzRandom, count: number): KernelCounts {
  const counts: KernelCounts = { calls: 0, ran: 0, refused: 0 };
  const sets = addon.sets();
  const kernels = addon.kernels();
  const unknown = kernels.filter((name) => !(name in ARGUMENTS));
  if (unknown.length > 0) throw new Error(`fuzz-kernels.ts does not know ${unknown.join(", ")}`);
  for (; counts.calls < count && sets.length > 0; counts.calls++) {
    const arena = new Float32Array(random.below(ARENA_FLOATS));
    const bits = new Uint32Array(arena.buffer);
    // As floats and, where a kernel reads places from it, as small numbers.
    for (let i = 0; i < arena.length; i++)
      if (random.oneIn(3)) bits[i] = random.oneIn(8) ? random.word() : random.below(32);
      else arena[i] = random.next() * 2 - 1;
    const name = random.pick(Object.keys(ARGUMENTS));
    const parameterCount = ARGUMENTS[name]!;
    const argumentCount = random.oneIn(30) ? random.below(24) : parameterCount;
    const numbers = Array.from({ length: argumentCount }, (_, i) =>
      randomNumber(random, i < SIZES ? MAX_SIZE : arena.length),
    );
    const set = random.oneIn(50) ? random.below(5) : random.below(sets.length);
    // Some within a list of calls, whose head may lie.
    const index = random.oneIn(30) ? randomNumber(random, kernels.length) : kernels.indexOf(name);
    const size = random.oneIn(30) ? randomNumber(random, numbers.length) : numbers.length;
    try {
      if (random.oneIn(4)) addon.runCalls!(set, arena, Float64Array.of(index, size, ...numbers));
      else addon[name]!(set, arena, ...numbers);
      counts.ran += 1;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      counts.refused += 1;
    }
  }
  return counts;
}

function randomNumber(random: FuzzRandom, limit: number): number {
  // Sizes are small, or no numbers.
  if (random.oneIn(40)) return random.pick(limit === MAX_SIZE ? ODD.slice(0, 4) : ODD);
  if (random.oneIn(3)) return random.below(limit + 20);
  return random.oneIn(2) ? 16 * random.below(4) : random.below(9);
}

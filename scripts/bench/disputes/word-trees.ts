/** Trees over numbers: against a hash of @noble/hashes for each node, in turns; and a trace of a model that was traced before. */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { type SmallModel, tracedBase } from "@openledger/challenger/internal/games/testing/trace-fixture";
import {
  describeModel,
  traceQuery,
  tracingKernels,
} from "@openledger/challenger/internal/games/traced-model";
import { sizeOf } from "@openledger/challenger/internal/trace/trace-op";
import { WordTree, wordsOf } from "@openledger/challenger/internal/trace/word-tree";
import { adapterLayout, usualTargets } from "@openledger/models/architecture/adapter-layout";
import { parameterLayout } from "@openledger/models/architecture/model-shape";
import { defaultBase } from "@openledger/models/base/base-place";
import { parseModelConfig } from "@openledger/models/internal/files/model-config";
import { zeroAddress } from "viem";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";
import { GPT2 } from "./published-size.ts";

const NUMBERS = 2 ** 20;
const TURNS = 7;
const WORD = 32;
const FEATURE_COUNT = 256;
const RANK = 8;
export const wordTrees: DisputesPart = { name: "trees", measure };

async function measure({ tokens }: DisputesBenchOptions) {
  const hashing = compareTrees();
  const { ratio, keptBytes } = hashing;
  console.log(
    `a tree over ${NUMBERS.toLocaleString("en")} floats: ${ratio.toFixed(1)} times as fast as hash by hash; ` +
      `it keeps ${keptBytes.toFixed(2)} bytes a float besides the float`,
  );
  const settings = { featureCount: FEATURE_COUNT, rank: RANK };
  const traces = {
    base: compareTraces("the devnet's base", await tracedBase(defaultBase(), tokens, settings), tokens, 3),
    gpt2: compareTraces("GPT-2's shape", randomGpt2(tokens), tokens, 1),
  };
  return { fields: { wordTrees: { ...hashing, traces } }, besides: {} };
}

function compareTrees() {
  const random = new SeededRandom("trees in turns");
  const numbers = Float32Array.from({ length: NUMBERS }, () => random.nextFraction() - 0.5);
  const ratios: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const own = timed(() => new WordTree(numbers).root);
    const plain = timed(() => rootHashByHash(wordsOf(numbers)));
    if (Buffer.compare(own.value, plain.value) !== 0) throw new Error("the two trees differ");
    ratios.push(plain.ms / own.ms);
  }
  const trees: WordTree[] = [];
  const before = process.memoryUsage().arrayBuffers;
  for (let k = 0; k < TURNS; k++) trees.push(new WordTree(numbers));
  const keptBytes = (process.memoryUsage().arrayBuffers - before) / (NUMBERS * trees.length);
  return { ratio: medianOf(ratios), keptBytes };
}

function rootHashByHash(words: Uint8Array): Uint8Array {
  let nodes = words;
  while (nodes.length > WORD) {
    const above = new Uint8Array(nodes.length / 2);
    for (let at = 0; at < above.length; at += WORD)
      above.set(keccak_256(nodes.subarray(2 * at, 2 * (at + WORD))), at);
    nodes = above;
  }
  return nodes;
}

/** A first trace turns and hashes the model's own numbers, a later one has them. */
function compareTraces(
  name: string,
  { inputs, model }: Pick<SmallModel, "inputs" | "model">,
  tokenCount: number,
  turns: number,
) {
  const tokens = Array.from({ length: tokenCount + 1 }, (_, i) => (i * i * 7 + i * 3) % 2_000);
  const text = { tokens, promptCount: Math.ceil(tokenCount / 3) };
  let numbers = 0;
  const ratios = Array.from({ length: turns }, () => {
    const described = describeModel({ rollup: zeroAddress, modelId: 1n }, model, inputs);
    const kernels = tracingKernels("wasm", described);
    const [first, later] = [0, 1].map(() => timed(() => traceQuery(described, text, kernels)));
    numbers = first!.value.program.reduce((sum, op) => sum + sizeOf(op), 0);
    return first!.ms / later!.ms;
  });
  const ratio = medianOf(ratios);
  console.log(
    `${name}, ${tokenCount} tokens, ${numbers.toLocaleString("en")} numbers: ` +
      `its first trace takes ${ratio.toFixed(2)} times as long as a later one`,
  );
  return { tokens: tokenCount, numbers, ratio };
}

/** Of random numbers: all that is asked is how long it takes. */
function randomGpt2(maxRows: number): Pick<SmallModel, "inputs" | "model"> {
  const shape = parseModelConfig(new TextEncoder().encode(JSON.stringify(GPT2)));
  const adapter = adapterLayout(shape, { rank: RANK, alpha: 2 * RANK, targets: usualTargets(shape) });
  const random = new SeededRandom("any numbers");
  const some = Float32Array.from({ length: 2 ** 16 }, () => (random.nextFraction() - 0.5) / 10);
  const made = (count: number) =>
    Float32Array.from({ length: count }, (_, k) => some[(k * 7_919) % 2 ** 16]!);
  const sizes = [parameterLayout(shape).floatCount, adapter.floatCount, adapter.floatCount * FEATURE_COUNT];
  return { model: { shape, adapter, featureCount: FEATURE_COUNT, maxRows }, inputs: sizes.map(made) };
}

function timed<T>(run: () => T): { value: T; ms: number } {
  const startedAtMs = performance.now();
  return { value: run(), ms: performance.now() - startedAtMs };
}

const medianOf = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

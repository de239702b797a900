/** Trees over numbers: against a hash of @noble/hashes for each node, in turns; and a trace of a model that was traced before. */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { zeroAddress } from "viem";
import { SeededRandom } from "../../../attribution/maths/seeded-random.ts";
import { defaultBase } from "../../../models/base/default-base.ts";
import { tracedBase } from "../../../models/disputing/testing/trace-fixture.ts";
import { describeModel, traceQuery, tracingKernels } from "../../../models/disputing/traced-model.ts";
import { WordTree, wordsOf } from "../../../models/trace/word-tree.ts";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";

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
  const traces = await compareTraces(tokens);
  console.log(
    `a model's first trace of ${tokens} tokens takes ${traces.ratio.toFixed(2)} times as long as a later one`,
  );
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

/** The same text each time: the first trace of a described model flips its numbers and hashes them, the second has both. */
async function compareTraces(tokenCount: number) {
  const settings = { featureCount: FEATURE_COUNT, rank: RANK };
  const { inputs, model } = await tracedBase(defaultBase(), tokenCount, settings);
  const tokens = Array.from({ length: tokenCount + 1 }, (_, i) => (i * i * 7 + i * 3) % 2_000);
  const text = { tokens, promptCount: Math.ceil(tokenCount / 3) };
  const turns = Array.from({ length: 3 }, () => {
    const described = describeModel({ rollup: zeroAddress, modelId: 1n }, model, inputs);
    const kernels = tracingKernels("wasm", described);
    const [first, second] = [0, 1].map(() => timed(() => traceQuery(described, text, kernels)).ms);
    return first! / second!;
  });
  return { tokens: tokenCount, ratio: medianOf(turns) };
}

function timed<T>(run: () => T): { value: T; ms: number } {
  const startedAtMs = performance.now();
  return { value: run(), ms: performance.now() - startedAtMs };
}

const medianOf = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** The other embedding that was tried: a language model's last hidden states, their mean, whitened. */
import { choleskyInPlace, solveLower } from "@openledger/attribution/maths/dense-matrix";
import { defaultBase } from "@openledger/models/base/base-place";
import { loadModel, openModel } from "@openledger/models/files/load-model";
import { readTokens } from "@openledger/models/internal/architecture/transformer";
import { nativeKernelSets } from "@openledger/models/internal/kernels/native-kernels";
import { openTokenizer } from "@openledger/models/tokens/tokenizer";

/** Of the mean variance: keeps directions that hardly occur from being blown up. */
const RIDGE = 0.1;

/** Rows and queries as `width` numbers each, of length 1, by the devnet's base. */
export async function hiddenStates(rows: readonly string[], queries: readonly string[]) {
  const source = defaultBase();
  const opened = await openModel(source);
  const maxRows = opened.shape.maxPositions;
  const kernels = nativeKernelSets().length > 0 ? "native" : "wasm";
  const { model } = await loadModel(opened, { kernels, maxRows, isTraining: false });
  const tokens = await openTokenizer(source, opened.shape.vocabularySize);
  await opened.close();
  const { width } = model.shape;
  const meanOf = (text: string) => {
    const given = tokens.encode(text).slice(0, maxRows);
    readTokens(model, given);
    const at = model.workspace.lastNormed;
    const states = model.kernels.arena.subarray(at, at + given.length * width);
    const mean = new Float64Array(width);
    for (const [k, x] of states.entries()) mean[k % width] = mean[k % width]! + x / given.length;
    return mean;
  };
  const rowStates = flat(rows.map(meanOf), width);
  const queryStates = flat(queries.map(meanOf), width);
  const centre = new Float64Array(width);
  for (const [k, x] of rowStates.entries()) centre[k % width] = centre[k % width]! + x / rows.length;
  const covariance = new Float64Array(width * width);
  for (const states of [rowStates, queryStates])
    for (const [k, x] of states.entries()) states[k] = x - centre[k % width]!;
  for (let row = 0; row < rows.length; row++)
    for (let a = 0; a < width; a++)
      for (let b = 0; b < width; b++) {
        const product = rowStates[row * width + a]! * rowStates[row * width + b]!;
        covariance[a * width + b] = covariance[a * width + b]! + product / rows.length;
      }
  let trace = 0;
  for (let a = 0; a < width; a++) trace += covariance[a * (width + 1)]!;
  for (let a = 0; a < width; a++)
    covariance[a * (width + 1)] = covariance[a * (width + 1)]! + (RIDGE * trace) / width;
  choleskyInPlace(covariance, width);
  solveLower(covariance, width, rowStates, rows.length);
  solveLower(covariance, width, queryStates, queries.length);
  return { rows: unit(rowStates, width), queries: unit(queryStates, width), width };
}

function flat(vectors: readonly Float64Array[], width: number): Float64Array {
  const out = new Float64Array(vectors.length * width);
  for (const [i, vector] of vectors.entries()) out.set(vector, i * width);
  return out;
}

function unit(vectors: Float64Array, width: number): Float64Array {
  for (let from = 0; from < vectors.length; from += width) {
    const vector = vectors.subarray(from, from + width);
    const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0)) || 1;
    for (let k = 0; k < width; k++) vector[k] = vector[k]! / length;
  }
  return vectors;
}

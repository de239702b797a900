import type { Sensitivities } from "../features/sensitivities.ts";
import {
  choleskyInPlace,
  gramOfRows,
  solveCholesky,
  solveLower,
  timesTransposed,
  transpose,
} from "../maths/dense-matrix.ts";
import { mix32, SeededRandom } from "../maths/seeded-random.ts";

/** One trained model of the ensemble: what it says about the rows and about the queries. */
export interface TrakMember {
  readonly rows: Sensitivities;
  readonly queries: Sensitivities;
}

/** Added to the diagonal of Φᵀ Φ, relative to its mean: only against a projection with an unused feature. */
const RIDGE = 1e-6;

/**
 * TRAK (Park, Georgiev, Ilyas, Leclerc, Madry: arXiv 2303.14186): gradients of the margin log(p / (1 − p)), randomly
 * projected to `featureCount` numbers; score(q, i) = mean of φ(q) (Φᵀ Φ)⁻¹ φᵢ · mean of (1 − pᵢ), both over the
 * ensemble. The projection is a count sketch (each coordinate goes to one feature, with a random sign) instead of a
 * dense matrix of signs: the same expectation of inner products, and its cost is that of reading the gradient once.
 * queries × rows.
 */
export function trakScores(members: readonly TrakMember[], featureCount: number, seed: string): Float64Array {
  const first = members[0]!;
  const n = first.rows.rowCount;
  const out = new Float64Array(first.queries.rowCount * n);
  for (const [m, member] of members.entries()) {
    const rows = marginFeatures(member.rows, featureCount, `${seed}/${m}`);
    const queries = marginFeatures(member.queries, featureCount, `${seed}/${m}`);
    solveCholesky(gramFactor(rows, n, featureCount), featureCount, queries, member.queries.rowCount);
    const scores = timesTransposed(queries, member.queries.rowCount, rows, n, featureCount);
    for (let k = 0; k < out.length; k++) out[k] = out[k]! + scores[k]! / members.length;
  }
  const doubts = meanDoubts(members);
  for (let k = 0; k < out.length; k++) out[k] = out[k]! * doubts[k % n]!;
  return out;
}

/** The score of each row for itself. */
export function trakSelf(members: readonly TrakMember[], featureCount: number, seed: string): Float64Array {
  const n = members[0]!.rows.rowCount;
  const out = new Float64Array(n);
  for (const [m, member] of members.entries()) {
    const rows = marginFeatures(member.rows, featureCount, `${seed}/${m}`);
    const solved = rows.slice();
    solveCholesky(gramFactor(rows, n, featureCount), featureCount, solved, n);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = i * featureCount; k < (i + 1) * featureCount; k++) sum += rows[k]! * solved[k]!;
      out[i] = out[i]! + sum / members.length;
    }
  }
  return out.map((value, i) => value * meanDoubts(members)[i]!);
}

/**
 * TRAK as one inner product of real features: features(i) · features(q) = `trakScores`. One block of `featureCount` for
 * each member, so an ensemble of m needs m · featureCount of them. rows × all features, queries × all features.
 */
export function trakFeatures(
  members: readonly TrakMember[],
  featureCount: number,
  seed: string,
): { rows: Float64Array; queries: Float64Array; featureCount: number } {
  const { rows: own, queries: asked } = members[0]!;
  const width = members.length * featureCount;
  const out = {
    rows: new Float64Array(own.rowCount * width),
    queries: new Float64Array(asked.rowCount * width),
    featureCount: width,
  };
  const doubts = meanDoubts(members);
  for (const [m, member] of members.entries()) {
    const rows = marginFeatures(member.rows, featureCount, `${seed}/${m}`);
    const queries = marginFeatures(member.queries, featureCount, `${seed}/${m}`);
    const factor = gramFactor(rows, own.rowCount, featureCount);
    solveLower(factor, featureCount, rows, own.rowCount);
    solveLower(factor, featureCount, queries, asked.rowCount);
    for (let i = 0; i < own.rowCount; i++) {
      for (let k = 0; k < featureCount; k++) {
        out.rows[i * width + m * featureCount + k] =
          (rows[i * featureCount + k]! * doubts[i]!) / members.length;
      }
    }
    for (let q = 0; q < asked.rowCount; q++) {
      out.queries.set(
        queries.subarray(q * featureCount, (q + 1) * featureCount),
        q * width + m * featureCount,
      );
    }
  }
  return out;
}

function meanDoubts(members: readonly TrakMember[]): Float64Array {
  return members[0]!.rows.doubts.map(
    (_, i) => members.reduce((sum, { rows }) => sum + rows.doubts[i]!, 0) / members.length,
  );
}

function gramFactor(rows: Float64Array, n: number, featureCount: number): Float64Array {
  const columns = transpose(rows, n, featureCount);
  const gram = gramOfRows(columns, featureCount, n);
  let trace = 0;
  for (let k = 0; k < featureCount; k++) trace += gram[k * featureCount + k]!;
  for (let k = 0; k < featureCount; k++) {
    gram[k * featureCount + k] = gram[k * featureCount + k]! + (RIDGE * trace) / featureCount;
  }
  choleskyInPlace(gram, featureCount);
  return gram;
}

/** Sketched gradients of the margin: −(gradient of the loss) / (1 − p). rows × featureCount. */
function marginFeatures(rows: Sensitivities, featureCount: number, seed: string): Float64Array {
  const salt = new SeededRandom(`${seed}/sketch`).nextUint32();
  const out = new Float64Array(rows.rowCount * featureCount);
  let start = 0;
  for (const { inputs, outputCount, outputOffset } of rows.layers) {
    for (let i = 0; i < rows.rowCount; i++) {
      const scale = -1 / rows.doubts[i]!;
      const residual = i * rows.outputCount + outputOffset;
      for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
        const value = scale * inputs.values[e]!;
        for (let o = 0; o < outputCount; o++) {
          const hash = mix32(salt, start + inputs.columns[e]! * outputCount + o);
          const at = i * featureCount + ((hash >>> 1) % featureCount);
          const term = value * rows.residuals[residual + o]!;
          out[at] = out[at]! + ((hash & 1) === 0 ? term : -term);
        }
      }
    }
    start += inputs.columnCount * outputCount;
  }
  return out;
}

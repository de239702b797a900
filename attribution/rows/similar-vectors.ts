/**
 * Exact search for the most similar of many unit vectors by inner product, for near-duplicates.ts: images and
 * feature rows.
 */

/** Bound of the rounding of a sum of products of unit vectors; far above it, far below any step in similarity. */
const ROUNDING = 1e-9;

/** A vector of length 1 (or 0), and its components along some orthonormal directions, as few as tell vectors apart. */
export interface ComparedVector {
  readonly fine: Float64Array;
  readonly coarse: Float64Array;
}

/**
 * Finds, among the vectors added so far, the one of largest inner product with another, without missing any. Two are
 * first compared by their coarse components: the rest of the inner product is at most the product of the rests' lengths
 * (Cauchy–Schwarz), so most pairs need no more. Hashing to buckets would miss pairs that a copyist chooses.
 */
export class VectorIndex {
  readonly #vectors: readonly (ComparedVector & { readonly rest: number })[];
  readonly #threshold: number;
  readonly #added: number[] = [];

  constructor(vectors: readonly ComparedVector[], threshold: number) {
    this.#threshold = threshold;
    this.#vectors = vectors.map(({ fine, coarse }) => {
      return { fine, coarse, rest: Math.sqrt(Math.max(0, dot(fine, fine) - dot(coarse, coarse))) };
    });
  }

  add(index: number): void {
    this.#added.push(index);
  }

  /** The added vector of the highest similarity ≥ threshold, the first of equals; undefined if there is none. */
  maxSimilar(index: number): { earlier: number; similarity: number } | undefined {
    const own = this.#vectors[index]!;
    let best: { earlier: number; similarity: number } | undefined;
    for (const earlier of this.#added) {
      const other = this.#vectors[earlier]!;
      const max = dot(own.coarse, other.coarse) + own.rest * other.rest + ROUNDING;
      if (max < (best?.similarity ?? this.#threshold)) continue;
      const similarity = dot(own.fine, other.fine);
      if (similarity < this.#threshold) continue;
      if (best === undefined || similarity > best.similarity) best = { earlier, similarity };
    }
    return best;
  }
}

/** The listed rows of `featureCount` numbers, each at length 1; 0 stays 0. */
export function unitRows(
  features: Float64Array,
  featureCount: number,
  positions: readonly number[],
): ComparedVector[] {
  return positions.map((i) => {
    const fine = features.slice(i * featureCount, (i + 1) * featureCount);
    const length = Math.sqrt(dot(fine, fine));
    if (length > 0) for (let k = 0; k < featureCount; k++) fine[k] = fine[k]! / length;
    return { fine, coarse: new Float64Array(0) };
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

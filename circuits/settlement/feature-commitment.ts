/**
 * Pedersen commitments to the columns of a model's feature matrix, and their hash in the model's statics (what never
 * changes of a model on the ledger; docs/reference/settlement.md). Registration commits; the settlement circuits open
 * them at the drawn queries.
 */
import { circuitError } from "../circuit-errors.ts";
import { generators } from "../field/curve/generators.ts";
import { addAll, IDENTITY_U, type MontgomeryPoints, negateAll } from "../field/curve/montgomery-points.ts";
import { hashTagged, hashTaggedMany } from "../field/poseidon.ts";
import { DATA_CHUNK, FIELD_ORDER, TAG } from "../protocol.ts";

/** Largest magnitude of an entry of G: int8 without −128. */
const MAX_FEATURE = 127;
/** Columns that share a random sum of their v-coordinates. */
const SIGN_GROUP = 64;
/** Additions that share an inversion, at least where there are so many. */
const MIN_BATCH = 4096;
/** Values absorbed by one hash of 16 inputs, besides the chain's own. */
const CHUNK = 15;

/** Column commitments: Montgomery coordinates, one point a feature. */
export interface ColumnCommitments {
  readonly u: readonly bigint[];
  readonly v: readonly bigint[];
}

/**
 * Computes C_j = H' + Σ_k G[k][j] · H_k for every column of an N × d matrix (row-major).
 *
 * A row is added into one bucket of its column for each digit of |G[k][j]|, and each bucket counts by its digit in the end;
 * many additions share an inversion. About 3 µs an entry of many rows.
 *
 * @throws CIR_FEATURES_INVALID if sizes do not fit or an entry is −128
 */
export function commitColumns(
  G: Int8Array,
  rowCount: number,
  featureCount: number,
  onProgress: (rowsDone: number) => void = () => {},
): ColumnCommitments {
  if (rowCount < 1 || featureCount < 1 || G.length !== rowCount * featureCount) {
    throw circuitError(
      "CIR_FEATURES_INVALID",
      `${G.length} entries are no ${rowCount} × ${featureCount} matrix`,
      {
        data: { rowCount, featureCount, entryCount: G.length },
      },
    );
  }
  return sumColumns(G, generators("row", rowCount), { featureCount, maxEntry: MAX_FEATURE }, onProgress);
}

/**
 * Computes H' + Σ_k entry[k][j] · points[k] for every column of a matrix with a row for each point, like
 * `commitColumns` for other points and entries.
 *
 * @throws CIR_FEATURES_INVALID if an entry is beyond ± maxEntry
 */
export function sumColumns(
  entries: Int8Array | Int16Array,
  points: Readonly<MontgomeryPoints>,
  { featureCount, maxEntry }: { readonly featureCount: number; readonly maxEntry: number },
  onProgress: (rowsDone: number) => void = () => {},
): ColumnCommitments {
  const rowCount = entries.length / featureCount;
  const bad = entries.findIndex((entry: number) => Math.abs(entry) > maxEntry);
  if (bad !== -1) {
    throw circuitError("CIR_FEATURES_INVALID", `an entry is ${entries[bad]}, beyond ±${maxEntry}`, {
      data: { row: Math.floor(bad / featureCount), column: bad % featureCount, entry: entries[bad] },
    });
  }
  const { digitBits, digitCount } = digitsFor(rowCount, maxEntry);
  const width = digitCount * featureCount;
  const maxDigit = 2 ** (digitBits - 1);
  const buckets = new Buckets(points, maxDigit * width);
  for (let k = 0; k < rowCount; k++) {
    for (let j = 0; j < featureCount; j++) {
      const entry = entries[k * featureCount + j]!;
      let rest = Math.abs(entry);
      for (let position = j; rest !== 0; position += featureCount) {
        const low = rest & (2 * maxDigit - 1);
        const digit = low > maxDigit ? low - 2 * maxDigit : low;
        if (digit !== 0) buckets.put((Math.abs(digit) - 1) * width + position, k, digit < 0 !== entry < 0);
        rest = (rest - digit) >> digitBits;
      }
    }
    if (buckets.waitingCount < MIN_BATCH && k + 1 < rowCount) continue;
    buckets.addWaiting();
    onProgress(k + 1);
  }
  // Σ_b b · bucket_b for each digit, as the sum of the sums from the top.
  const running = identities(width);
  const total = identities(width);
  for (let size = maxDigit; size > 0; size--) {
    addAll(running, sliceOf(buckets.sums, (size - 1) * width, width));
    addAll(total, running);
  }
  const columns = sliceOf(total, width - featureCount, featureCount);
  for (let from = width - 2 * featureCount; from >= 0; from -= featureCount) {
    for (let i = 0; i < digitBits; i++) addAll(columns, columns);
    addAll(columns, sliceOf(total, from, featureCount));
  }
  const blind = generators("blind", 1);
  addAll(columns, {
    u: new Array<bigint>(featureCount).fill(blind.u[0]!),
    v: new Array<bigint>(featureCount).fill(blind.v[0]!),
  });
  return columns;
}

/**
 * Digits, from −2^(digitBits − 1) to 2^(digitBits − 1), that entries are written in: each costs an addition a row, and two a
 * bucket in the end.
 */
function digitsFor(rowCount: number, maxEntry: number): { digitBits: number; digitCount: number } {
  const [best] = [1, 2, 3, 4, 5]
    .map((digitCount) => ({ digitBits: Math.ceil(Math.log2(2 * (maxEntry + 1)) / digitCount), digitCount }))
    .map((digits) => ({ ...digits, cost: digits.digitCount * (rowCount + 2 ** digits.digitBits) }))
    .sort((a, b) => a.cost - b.cost);
  return best!;
}

/** Sums of points, to which any number are added at once. */
class Buckets {
  readonly sums: MontgomeryPoints;
  readonly #points: Readonly<MontgomeryPoints>;
  readonly #negatedV: readonly bigint[];
  #waiting: { readonly bucket: number; readonly index: number; readonly isNegated: boolean }[] = [];

  constructor(points: Readonly<MontgomeryPoints>, count: number) {
    this.sums = identities(count);
    this.#points = points;
    this.#negatedV = negateAll(points).v;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Lets a point, or its negative, wait for its bucket. */
  put(bucket: number, index: number, isNegated: boolean): void {
    this.#waiting.push({ bucket, index, isNegated });
  }

  /** Adds the points that wait: in each round, one to each bucket. */
  addWaiting(): void {
    while (this.#waiting.length > 0) {
      const taken = new Set<number>();
      const [sums, terms]: MontgomeryPoints[] = [
        { u: [], v: [] },
        { u: [], v: [] },
      ];
      this.#waiting = this.#waiting.filter(({ bucket, index, isNegated }) => {
        if (taken.has(bucket)) return true;
        taken.add(bucket);
        sums!.u.push(this.sums.u[bucket]!);
        sums!.v.push(this.sums.v[bucket]!);
        terms!.u.push(this.#points.u[index]!);
        terms!.v.push((isNegated ? this.#negatedV : this.#points.v)[index]!);
        return false;
      });
      addAll(sums!, terms!);
      for (const [i, bucket] of [...taken].entries()) {
        this.sums.u[bucket] = sums!.u[i]!;
        this.sums.v[bucket] = sums!.v[i]!;
      }
    }
  }
}

const sliceOf = ({ u, v }: Readonly<MontgomeryPoints>, from: number, count: number): MontgomeryPoints => ({
  u: u.slice(from, from + count),
  v: v.slice(from, from + count),
});

/**
 * Commitment in a model's statics to its features and to how it answers (docs/reference/settlement.md).
 * @param columns hash of its columns: `columnsCommitment`, of a direct model the root of its `pairTree`
 * @param answeringHash hash of all that a query depends on besides prompt and answer: below r
 */
export function featuresCommitment(columns: bigint, answeringHash: bigint): bigint {
  return hashTagged(TAG.features, [columns, answeringHash]);
}

/**
 * Hash of all columns. The identity has no coordinates and is no commitment; `commitColumns` never makes it.
 */
export function columnsCommitment(columns: ColumnCommitments): bigint {
  return columnsCommitments([columns])[0]!;
}

/** `columnsCommitment` of several sets with the same number of columns: half the time of one after the other. */
export function columnsCommitments(sets: readonly ColumnCommitments[]): bigint[] {
  const rhos = hashChains(
    sets.map(({ u }) => BigInt(u.length)),
    sets.map(({ u }) => u),
  );
  const groupSums = sets.map(({ v }, i) => {
    const sums: bigint[] = [];
    for (let start = 0; start < v.length; start += SIGN_GROUP) {
      const group = v.slice(start, start + SIGN_GROUP);
      sums.push(group.reduce((sum, value) => (sum * rhos[i]! + value) % FIELD_ORDER, 0n));
    }
    return sums;
  });
  return hashChains(rhos, groupSums);
}

/** Hashes lists of the same length, each from its start on. */
function hashChains(starts: readonly bigint[], lists: readonly (readonly bigint[])[]): bigint[] {
  let hashes = [...starts];
  const length = lists[0]?.length ?? 0;
  for (let at = 0; at < length; at += CHUNK) {
    const rest = new Array<bigint>(Math.max(0, at + CHUNK - length)).fill(0n);
    hashes = hashTaggedMany(
      lists.map((values, i) => [TAG.features, [hashes[i]!, ...values.slice(at, at + CHUNK), ...rest]]),
    );
  }
  return hashes;
}

function identities(count: number): MontgomeryPoints {
  return { u: new Array<bigint>(count).fill(IDENTITY_U), v: new Array<bigint>(count).fill(0n) };
}

/**
 * A model's featuresCommitment by those of its shards: one shard's own, or H[SHARD_FEATURES](S, f_0 … f_7, 0 …) of 16
 * inputs.
 */
export function shardFeatures(ofShards: readonly bigint[]): bigint {
  if (ofShards.length === 1) return ofShards[0]!;
  const listed = Array.from({ length: DATA_CHUNK }, (_, s) => ofShards[s] ?? 0n);
  return hashTagged(TAG.shardFeatures, [BigInt(ofShards.length), ...listed]);
}

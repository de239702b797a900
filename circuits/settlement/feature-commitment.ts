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
 * A column's rows are added into 127 buckets by |G[k][j]|, and each bucket counts by its number in the end; all columns
 * take row k at the same time, which shares an inversion among them. About 4 µs an entry that is not 0.
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
  const negatedV = negateAll(points).v;
  const buckets = new Map<number, MontgomeryPoints>();
  const bucketOf = (entry: number): MontgomeryPoints => {
    const size = Math.abs(entry);
    let bucket = buckets.get(size);
    if (bucket === undefined) {
      bucket = identities(featureCount);
      buckets.set(size, bucket);
    }
    return bucket;
  };
  for (let k = 0; k < rowCount; k++) {
    const columns: number[] = [];
    const sums: MontgomeryPoints = { u: [], v: [] };
    const terms: MontgomeryPoints = { u: [], v: [] };
    for (let j = 0; j < featureCount; j++) {
      const entry = entries[k * featureCount + j]!;
      if (entry === 0) continue;
      const bucket = bucketOf(entry);
      columns.push(j);
      sums.u.push(bucket.u[j]!);
      sums.v.push(bucket.v[j]!);
      terms.u.push(points.u[k]!);
      terms.v.push(entry > 0 ? points.v[k]! : negatedV[k]!);
    }
    addAll(sums, terms);
    columns.forEach((j, i) => {
      const bucket = bucketOf(entries[k * featureCount + j]!);
      bucket.u[j] = sums.u[i]!;
      bucket.v[j] = sums.v[i]!;
    });
    onProgress(k + 1);
  }
  // Σ_b b · bucket_b, as the sum of the sums from the top, each as often as it is to the next bucket.
  const running = identities(featureCount);
  const total = identities(featureCount);
  const sizes = [...buckets.keys()].sort((a, b) => b - a);
  for (const [i, size] of sizes.entries()) {
    addAll(running, buckets.get(size)!);
    addTimes(total, running, size - (sizes[i + 1] ?? 0));
  }
  const blind = generators("blind", 1);
  addAll(total, {
    u: new Array<bigint>(featureCount).fill(blind.u[0]!),
    v: new Array<bigint>(featureCount).fill(blind.v[0]!),
  });
  return total;
}

/** Computes left[i] += times · right[i] for all i, for times ≥ 1, by doublings. */
function addTimes(left: MontgomeryPoints, right: Readonly<MontgomeryPoints>, times: number): void {
  const doubled = { u: [...right.u], v: [...right.v] };
  for (let rest = times; ; addAll(doubled, doubled)) {
    if (rest % 2 === 1) addAll(left, doubled);
    rest = Math.floor(rest / 2);
    if (rest === 0) return;
  }
}

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

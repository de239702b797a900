/** Where a direct model commitment is not what the ledger has: contracts/disputes/DirectTies.sol judges the same. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { packRules } from "@openledger/attribution/model/answering-hash";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import { commitDirectColumns } from "@openledger/circuits/settlement/scores/direct-matrix";
import { hex32 } from "@openledger/foundation/hex";
import type { CommittedModel } from "./committed-model.ts";
import { MOST_ENTRY, readEntries, readNumbers } from "./direct-arithmetic.ts";
import { columnDigests, mapPlaces } from "./direct-model-commitment.ts";
import { readPoint } from "./tie-faults.ts";

export type DirectTieFault =
  | { readonly kind: "cell"; readonly row: number; readonly column: number }
  | { readonly kind: "point"; readonly column: number }
  /** Of the chains that make the columns' commitment. */
  | { readonly kind: "digest"; readonly step: number }
  | { readonly kind: "statics" };

/** Needs `initPoseidon`. */
export function* directTieFaults(posted: CommittedModel): Generator<DirectTieFault> {
  yield* cellFaults(posted);
  yield* pointFaults(posted);
  yield* digestFaults(posted);
  if (staticsOfModelCommitment(posted) !== posted.statement.staticsHash) yield { kind: "statics" };
}

function* cellFaults({ leaves, statement }: CommittedModel): Generator<DirectTieFault> {
  const { columnCount, rowCount } = statement;
  const rows = leaves.features.map((leaf) => readEntries(leaf, columnCount));
  for (let column = 0; column < columnCount; column++) {
    const entries = readEntries(leaves.columns[column]!, rowCount + 1);
    for (const [row, features] of rows.entries())
      if (features === null || entries === null || features[column] !== entries[row])
        yield { kind: "cell", row, column };
  }
}

function* pointFaults({ leaves, statement }: CommittedModel): Generator<DirectTieFault> {
  const { bucketCount, columnCount, rowCount } = statement;
  const columns = leaves.columns.map((leaf) => readEntries(leaf, rowCount + 1));
  const values = new Int16Array((rowCount + 1) * columnCount);
  // Entries that no column of the ledger has, and columns that are none, are wrong whatever the point is.
  const unknown = new Set<number>();
  for (const [j, entries] of columns.entries()) {
    if (entries === null || entries.some((entry) => Math.abs(entry) > MOST_ENTRY)) unknown.add(j);
    else for (const [k, entry] of entries.entries()) values[k * columnCount + j] = entry;
  }
  const { u, v } = commitDirectColumns({ rowCount, bucketCount, values });
  for (const [column, leaf] of leaves.points.entries()) {
    const point = readPoint(leaf);
    if (unknown.has(column) || point === null || point[0] !== u[column] || point[1] !== v[column])
      yield { kind: "point", column };
  }
}

/** The chains over the posted points. Points that are none are wrong themselves. */
function* digestFaults({ leaves, statement }: CommittedModel): Generator<DirectTieFault> {
  const points = leaves.points.map(readPoint);
  if (!points.every((point) => point !== null)) return;
  const right = columnDigests({ u: points.map(([u]) => u), v: points.map(([, v]) => v) });
  const { digests } = mapPlaces(statement.columnCount);
  // Later digests follow from a wrong one: what L1 judges is the first that differs.
  const step = right.findIndex(
    (value, at) => bytesToHex(leaves.map[digests + at]!) !== hex32(value).slice(2),
  );
  if (step >= 0) yield { kind: "digest", step };
}

/** null where the last digest or the numbers are none. */
function staticsOfModelCommitment({ leaves, statement }: CommittedModel): bigint | null {
  const { answering, binding, bucketCount, decay, payeeRoot, ownersCommitment, sharesDuplicates, split } =
    statement;
  const { clipQuantile } = statement;
  const { damping } = readNumbers(leaves.map[0]!);
  const last = leaves.map.at(-1)!;
  if (last.length !== 32 || damping === 0n) return null;
  const commitment = BigInt(`0x${bytesToHex(last)}`) % FIELD_ORDER;
  const answers = hashTagged(TAG.challenged, [
    answering,
    packRules({ bucketCount, decay, sharesDuplicates, clipQuantile, damping }),
  ]);
  return hashStatics({
    featuresCommitment: hashTagged(TAG.features, [commitment, answers]),
    ...{ ownersCommitment, payeeRoot, binding, split },
  });
}

/** Where a direct model commitment is not what the ledger has: contracts/disputes/DirectTies.sol judges the same. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { packRules } from "@openledger/attribution/model/answering-hash";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import { commitDirectColumns } from "@openledger/circuits/settlement/scores/direct-matrix";
import type { CommittedModel } from "./committed-model.ts";
import { MOST_ENTRY, readEntries, readNumbers } from "./direct-arithmetic.ts";
import { columnDigests, mapPlaces } from "./direct-model-commitment.ts";
import { cellFaults, pointFaults, readPoints, staticsOf, type TieFault } from "./tie-faults.ts";

export type DirectTieFault =
  | TieFault
  /** Of the chains that make the columns' commitment. */
  | { readonly kind: "digest"; readonly step: number }
  | { readonly kind: "statics" };

/** Of 2^-16, times 2^40; contracts/disputes/DirectTies.sol. */
const LEAST_DAMPING = 1n << 24n;

/** Needs `initPoseidon`. */
export function* directTieFaults(posted: CommittedModel): Generator<DirectTieFault> {
  const { columnCount, rowCount } = posted.statement;
  const { columns, features } = posted.leaves;
  const entries = {
    rows: features.map((leaf) => readEntries(leaf, columnCount)),
    columns: columns.map((leaf) => readEntries(leaf, rowCount + 1)),
    mostEntry: MOST_ENTRY,
  };
  yield* cellFaults(entries);
  yield* pointFaults(posted, entries, (values) =>
    commitDirectColumns({ rowCount, bucketCount: columnCount - 1, values }),
  );
  yield* digestFaults(posted);
  if (staticsOfModelCommitment(posted) !== posted.statement.staticsHash) yield { kind: "statics" };
}

/** Digests that do not follow from the posted ones before them, and the points. Points that are none are wrong themselves. */
function* digestFaults(posted: CommittedModel): Generator<DirectTieFault> {
  const given = readDigests(posted);
  if (given === null) yield { kind: "digest", step: 0 };
  const points = readPoints(posted);
  if (points === null || given === null) return;
  for (const [step, right] of columnDigests(points, given).entries())
    if (given[step] !== right) yield { kind: "digest", step };
}

/** null where they are not as many elements as there are steps. */
function readDigests({ leaves, statement }: CommittedModel): bigint[] | null {
  const { digestCount, digests } = mapPlaces(statement.bucketCount + 1, statement.columnCount);
  const leaf = leaves.map[digests]!;
  if (leaf.length !== 32 * digestCount) return null;
  const words = Array.from({ length: digestCount }, (_, i) =>
    BigInt(`0x${bytesToHex(leaf.subarray(32 * i, 32 * (i + 1)))}`),
  );
  return words.every((word) => word < FIELD_ORDER) ? words : null;
}

/** null where the digests or the numbers are none. */
function staticsOfModelCommitment(posted: CommittedModel): bigint | null {
  const { leaves, statement } = posted;
  const { answering, bucketCount, clipQuantile, decay, sharesDuplicates } = statement;
  const { base, damping } = readNumbers(leaves.map[0]!);
  const commitment = readDigests(posted)?.at(-1);
  const hasBase = statement.columnCount !== bucketCount + 1;
  if (commitment === undefined || damping < LEAST_DAMPING || (base !== 0n) !== hasBase) return null;
  const answers = hashTagged(TAG.challenged, [
    answering,
    packRules({ bucketCount, decay, sharesDuplicates, clipQuantile, damping: damping | (base << 63n) }),
  ]);
  return staticsOf(statement, commitment, answers);
}

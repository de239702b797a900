/** Where a direct model commitment is not what the ledger has: contracts/disputes/DirectTies.sol judges the same. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { packRules } from "@openledger/attribution/model/answering-hash";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import { commitDirectColumns } from "@openledger/circuits/settlement/scores/direct-matrix";
import { hex32 } from "@openledger/foundation/hex";
import type { CommittedModel } from "./committed-model.ts";
import { MOST_ENTRY, readEntries, readNumbers } from "./direct-arithmetic.ts";
import { columnDigests, mapPlaces } from "./direct-model-commitment.ts";
import { cellFaults, pointFaults, readPoints, staticsOf, type TieFault } from "./tie-faults.ts";

export type DirectTieFault =
  | TieFault
  /** Of the chains that make the columns' commitment. */
  | { readonly kind: "digest"; readonly step: number }
  | { readonly kind: "statics" };

/** Needs `initPoseidon`. */
export function* directTieFaults(posted: CommittedModel): Generator<DirectTieFault> {
  const { bucketCount, columnCount, rowCount } = posted.statement;
  const { columns, features } = posted.leaves;
  const entries = {
    rows: features.map((leaf) => readEntries(leaf, columnCount)),
    columns: columns.map((leaf) => readEntries(leaf, rowCount + 1)),
    mostEntry: MOST_ENTRY,
  };
  yield* cellFaults(entries);
  yield* pointFaults(posted, entries, (values) => commitDirectColumns({ rowCount, bucketCount, values }));
  yield* digestFaults(posted);
  if (staticsOfModelCommitment(posted) !== posted.statement.staticsHash) yield { kind: "statics" };
}

/** The chains over the posted points. Points that are none are wrong themselves. */
function* digestFaults(posted: CommittedModel): Generator<DirectTieFault> {
  const points = readPoints(posted);
  if (points === null) return;
  const right = columnDigests(points);
  const { digests } = mapPlaces(posted.statement.columnCount);
  // Later digests follow from a wrong one: what L1 judges is the first that differs.
  const step = right.findIndex(
    (value, at) => bytesToHex(posted.leaves.map[digests + at]!) !== hex32(value).slice(2),
  );
  if (step >= 0) yield { kind: "digest", step };
}

/** null where the last digest or the numbers are none. */
function staticsOfModelCommitment({ leaves, statement }: CommittedModel): bigint | null {
  const { answering, bucketCount, clipQuantile, decay, sharesDuplicates } = statement;
  const { damping } = readNumbers(leaves.map[0]!);
  const last = leaves.map.at(-1)!;
  if (last.length !== 32 || damping === 0n) return null;
  const commitment = BigInt(`0x${bytesToHex(last)}`) % FIELD_ORDER;
  const answers = hashTagged(TAG.challenged, [
    answering,
    packRules({ bucketCount, decay, sharesDuplicates, clipQuantile, damping }),
  ]);
  return staticsOf(statement, commitment, answers);
}

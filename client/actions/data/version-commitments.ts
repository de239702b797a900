import { circuitError } from "@openledger/circuits/circuit-errors";
import {
  type Earner,
  type EarnerOwners,
  earnerRoot,
  ownersCommitment,
} from "@openledger/circuits/ledger/rewards";
import { type VersionRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { MAX_EARNER_COUNT } from "@openledger/circuits/protocol";

/** What PublishVersion carries, and the two tables behind it. */
export interface VersionCommitments {
  readonly rowsRoot: bigint;
  readonly ownersCommitment: bigint;
  readonly earnerRoot: bigint;
  readonly rowCount: number;
  /** In the version's order: by earner, and within an earner as contributed. */
  readonly rows: readonly VersionRow[];
  readonly earners: readonly Earner[];
}

export type CommitVersionErrorCode = "CIR_SETTLEMENT_SIZE";

/**
 * The commitments of a version (docs/reference/client.md, "Versions"). Needs `initPoseidon`, as every client has done.
 * @throws CIR_SETTLEMENT_SIZE
 * @example
 * ```ts
 * const { rowHashes } = await readContribution(store, rowsRoot);
 * const version = commitVersion(rowHashes.map((rowHash) => ({ rowHash, contributorId: 7, validatorId: 8 })));
 * ```
 */
export function commitVersion(unsorted: readonly VersionRow[]): VersionCommitments {
  const earners = earnerTable(unsorted);
  if (earners.length > MAX_EARNER_COUNT) {
    throw circuitError(
      "CIR_SETTLEMENT_SIZE",
      `a version has at most ${MAX_EARNER_COUNT} earners, not ${earners.length}`,
      {
        data: { reason: "too-many-earners", earnerCount: earners.length, maxEarnerCount: MAX_EARNER_COUNT },
      },
    );
  }
  // Sorting is stable: within an earner the order of contribution stays.
  const rows = [...unsorted].sort(compareEarners);
  return {
    rowsRoot: versionRowsRoot(rows),
    ownersCommitment: ownersCommitment(earners.map((earner) => earner.rowCount)),
    earnerRoot: earnerRoot(earners),
    rowCount: rows.length,
    rows,
    earners,
  };
}

function compareEarners(a: EarnerOwners, b: EarnerOwners): number {
  return a.contributorId - b.contributorId || a.validatorId - b.validatorId;
}

function earnerTable(rows: readonly VersionRow[]): Earner[] {
  const earners = new Map<string, Earner>();
  for (const { contributorId, validatorId } of rows) {
    const name = `${contributorId}/${validatorId}`;
    const rowCount = (earners.get(name)?.rowCount ?? 0) + 1;
    earners.set(name, { contributorId, validatorId, rowCount });
  }
  return [...earners.values()].sort(compareEarners);
}

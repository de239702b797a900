import {
  type Earner,
  type EarnerOwners,
  earnerRoot,
  ownersCommitment,
} from "@openledger/circuits/ledger/rewards";
import { type VersionRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { MAX_EARNER_COUNT } from "@openledger/circuits/protocol";
import { clientError } from "../../client-errors.ts";

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

export type CommitVersionErrorCode = "CLI_TOO_MANY_EARNERS";

/**
 * The commitments of a version (docs/client.md, "Versions"). Needs `initPoseidon`, as every client has done.
 * @throws CLI_TOO_MANY_EARNERS
 * @example
 * ```ts
 * const { rowHashes } = await readContribution(store, rowsRoot);
 * const version = commitVersion(rowHashes.map((rowHash) => ({ rowHash, contributorId: 7, validatorId: 8 })));
 * ```
 */
export function commitVersion(unsorted: readonly VersionRow[]): VersionCommitments {
  const earners = earnerTable(unsorted);
  if (earners.length > MAX_EARNER_COUNT) {
    throw clientError(
      "CLI_TOO_MANY_EARNERS",
      `a version has at most ${MAX_EARNER_COUNT} earners, not ${earners.length}`,
      {
        data: { earnerCount: earners.length, maxEarnerCount: MAX_EARNER_COUNT },
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

import { circuitError } from "@openledger/circuits/circuit-errors";
import {
  ownersCommitment,
  type Payee,
  type PayeeOwners,
  payeeRoot,
} from "@openledger/circuits/ledger/rewards";
import { type VersionRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { MAX_PAYEE_COUNT } from "@openledger/circuits/protocol";

/** What PublishVersion carries, and the two tables behind it. */
export interface VersionCommitments {
  readonly rowsRoot: bigint;
  readonly ownersCommitment: bigint;
  readonly payeeRoot: bigint;
  readonly rowCount: number;
  /** In the version's order: by payee, and within a payee as contributed. */
  readonly rows: readonly VersionRow[];
  readonly payees: readonly Payee[];
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
  const payees = payeeTable(unsorted);
  if (payees.length > MAX_PAYEE_COUNT) {
    throw circuitError(
      "CIR_SETTLEMENT_SIZE",
      `a version has at most ${MAX_PAYEE_COUNT} payees, not ${payees.length}`,
      {
        data: { reason: "too-many-payees", payeeCount: payees.length, maxPayeeCount: MAX_PAYEE_COUNT },
      },
    );
  }
  // Sorting is stable: within a payee the order of contribution stays.
  const rows = [...unsorted].sort(comparePayees);
  return {
    rowsRoot: versionRowsRoot(rows),
    ownersCommitment: ownersCommitment(payees.map((payee) => payee.rowCount)),
    payeeRoot: payeeRoot(payees),
    rowCount: rows.length,
    rows,
    payees,
  };
}

function comparePayees(a: PayeeOwners, b: PayeeOwners): number {
  return a.contributorId - b.contributorId || a.validatorId - b.validatorId;
}

function payeeTable(rows: readonly VersionRow[]): Payee[] {
  const payees = new Map<string, Payee>();
  for (const { contributorId, validatorId } of rows) {
    const name = `${contributorId}/${validatorId}`;
    const rowCount = (payees.get(name)?.rowCount ?? 0) + 1;
    payees.set(name, { contributorId, validatorId, rowCount });
  }
  return [...payees.values()].sort(comparePayees);
}

/**
 * Commitments of a Datanet's version: root of its rows, owners by payee, payees' root, as PublishVersion signs them. Publishing
 * and verification compute the same ones (formulas: docs/reference/settlement.md).
 */
import { cutPayees, type ShardRoom } from "@openledger/circuits/ledger/payee-shards";
import {
  ownersCommitment,
  type Payee,
  type PayeeOwners,
  payeeRoot,
} from "@openledger/circuits/ledger/rewards";
import { type VersionRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import { holdsPayees } from "@openledger/circuits/settlement/settlement-size";
import type { LedgerClient } from "../../ledger-client.ts";
import { getInfo } from "../../sequencer/ledger-reads.ts";

/** Fields of PublishVersion, and the two tables behind them. */
export interface VersionCommitments {
  readonly rowsRoot: bigint;
  readonly ownersCommitment: bigint;
  readonly payeeRoot: bigint;
  readonly rowCount: number;
  /** Rows in the version's order: by payee, and within a payee in the order of contribution. */
  readonly rows: readonly VersionRow[];
  /**
   * Payees in the places of shards (docs/reference/settlement.md, "Shards"): absent ones, between shards, have no rows.
   */
  readonly payees: readonly Payee[];
  /** Maximum rows and payees of a shard, where the publisher names them. */
  readonly shard?: ShardRoom;
}

export interface CommitVersionOptions {
  /** Maximum rows and payees of a shard, as of the circuit that will prove each; default: 2^20 rows and 512 payees. */
  readonly shard?: ShardRoom | undefined;
}

export type CommitVersionErrorCode = "CIR_SETTLEMENT_SIZE";

/**
 * Computes the commitments of a version (docs/reference/client.md, "Versions"). Needs `initPoseidon`, as every client has
 * done.
 * @throws CIR_SETTLEMENT_SIZE where its payees do not fit eight shards of 512
 * @example
 * ```ts
 * const { rowHashes } = await readContribution(store, rowsRoot);
 * const version = commitVersion(rowHashes.map((rowHash) => ({ rowHash, contributorId: 7, validatorId: 8 })));
 * ```
 */
export function commitVersion(
  unsorted: readonly VersionRow[],
  { shard }: CommitVersionOptions = {},
): VersionCommitments {
  const payees = cutPayees(payeeTable(unsorted), shard);
  // Sorting is stable: within a payee the order of contribution stays.
  const rows = [...unsorted].sort(comparePayees);
  return {
    rowsRoot: versionRowsRoot(rows),
    ownersCommitment: ownersCommitment(payees.map((payee) => payee.rowCount)),
    payeeRoot: payeeRoot(payees),
    rowCount: rows.length,
    rows,
    payees,
    ...(shard === undefined ? {} : { shard }),
  };
}

/**
 * Size of a shard by the rollup's circuits, where no circuit of one proof holds all rows and those of shards do; else
 * undefined.
 * @internal
 */
export async function usualShard(
  client: LedgerClient,
  rows: readonly PayeeOwners[],
): Promise<ShardRoom | undefined> {
  const payees = payeeTable(rows);
  const choices = settlingCircuits((await getInfo(client)).circuits);
  const fitting = choices.filter(({ size }) => holdsPayees(size, payees));
  if (fitting.some(({ shard }) => shard === null)) return undefined;
  const [first] = fitting;
  return first === undefined ? undefined : { rows: first.size.rows, payees: first.size.payees };
}

function comparePayees(a: PayeeOwners, b: PayeeOwners): number {
  return a.contributorId - b.contributorId || a.validatorId - b.validatorId;
}

/**
 * Payees of rows, in the order of a version.
 * @internal
 */
export function payeeTable(rows: readonly PayeeOwners[]): Payee[] {
  const payees = new Map<string, Payee>();
  for (const { contributorId, validatorId } of rows) {
    const name = `${contributorId}/${validatorId}`;
    const rowCount = (payees.get(name)?.rowCount ?? 0) + 1;
    payees.set(name, { contributorId, validatorId, rowCount });
  }
  return [...payees.values()].sort(comparePayees);
}

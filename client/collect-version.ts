import { hashTagged } from "../circuits/poseidon.ts";
import { TAG } from "../circuits/protocol.ts";
import { clientError } from "./client-errors.ts";
import type { LedgerClient } from "./ledger-client.ts";
import { getLeaf, listOperations } from "./ledger-reads.ts";
import { type RowStore, readContribution } from "./row-store.ts";
import type { LedgerOperation } from "./sequencer-schemas.ts";
import { commitVersion, type VersionCommitments, type VersionRow } from "./version-commitments.ts";

export interface CollectVersionParameters {
  datanetId: number;
  store: RowStore;
  /** Who vouches for the rows; the second half of every slot. */
  validatorId: number;
  /** Which contributions count; default: all. */
  accept?: (contribution: { contributorId: number; rowsRoot: bigint; rowCount: number }) => boolean;
}

/** The most that the sequencer lists at once. */
const PAGE_SIZE = 200;

/**
 * A datanet's next version from everything committed to it so far: its rows from the store, checked against the
 * committed roots, in the order of the ledger. A row that was committed before counts for the first who did.
 * The sequencer's list of commits is checked against the datanet's chain, so that none is left out.
 *
 * @throws CLI_COMMITS_INCOMPLETE, CLI_ROWS_MISSING, CLI_TOO_MANY_SLOTS
 */
export async function collectVersion(
  client: LedgerClient,
  parameters: CollectVersionParameters,
): Promise<VersionCommitments> {
  const { datanetId, store, validatorId, accept = () => true } = parameters;
  const [operations, datanet] = await Promise.all([
    listAllOperations(client, datanetId),
    getLeaf(client, datanetId),
  ]);
  const commits = operations
    .filter(
      ({ kind, b, status, opIndex }) =>
        kind === "commitData" && b === datanetId && status !== "dropped" && opIndex != null,
    )
    .sort((a, b) => a.opIndex! - b.opIndex!);
  const chain = commits.reduce(
    (link, { a, words, amountCode }) => hashTagged(TAG.commit, [link, words[0]!, BigInt(a), amountCode]),
    0n,
  );
  if (chain !== datanet.chain) {
    throw clientError(
      "CLI_COMMITS_INCOMPLETE",
      `the ${commits.length} commits that the sequencer lists are not those of datanet ${datanetId}`,
      {
        data: { datanetId, listedCount: commits.length },
      },
    );
  }
  const rows: VersionRow[] = [];
  const seen = new Set<bigint>();
  for (const { a: contributorId, words, amountCode } of commits) {
    const rowsRoot = words[0]!;
    if (!accept({ contributorId, rowsRoot, rowCount: Number(amountCode) })) continue;
    const { rowHashes } = await readContribution(store, rowsRoot);
    for (const rowHash of rowHashes) {
      if (seen.has(rowHash)) continue;
      seen.add(rowHash);
      rows.push({ rowHash, contributorId, validatorId });
    }
  }
  return commitVersion(rows);
}

async function listAllOperations(client: LedgerClient, leafId: number): Promise<LedgerOperation[]> {
  const all: LedgerOperation[] = [];
  for (;;) {
    const before = all.at(-1)?.hash;
    const page = await listOperations(client, leafId, {
      limit: PAGE_SIZE,
      ...(before === undefined ? {} : { before }),
    });
    all.push(...page);
    if (page.length < PAGE_SIZE) return all;
  }
}

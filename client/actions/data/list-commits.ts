import { commitChain } from "@openledger/circuits/ledger/version-rows";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { getLeaf, listOperations } from "../../sequencer/ledger-reads.ts";
import type { SequencerErrorCode } from "../../sequencer/sequencer-request.ts";
import type { LedgerOperation } from "../../sequencer/sequencer-schemas.ts";

/** One CommitData: who has committed how many rows under which root. */
export interface DatanetCommit {
  readonly contributorId: number;
  readonly rowsRoot: bigint;
  readonly rowCount: number;
  /** A later version than the published one may have its rows. */
  readonly isAfterVersion: boolean;
}

/** The most that the sequencer lists at once. */
const PAGE_SIZE = 200;

export type ListCommitsErrorCode = "CLI_COMMITS_INCOMPLETE" | "CLI_LEAF_NOT_FOUND" | SequencerErrorCode;

/**
 * All rows that were ever committed to a datanet, in the ledger's order. The sequencer's list is checked against the
 * datanet's chain, so that none is left out, none is added and none has changed places.
 * @throws CLI_COMMITS_INCOMPLETE, CLI_LEAF_NOT_FOUND
 * @example
 * ```ts
 * for (const { contributorId, rowCount } of await listCommits(client, 10)) console.log(contributorId, rowCount);
 * ```
 */
export async function listCommits(client: LedgerClient, datanetId: number): Promise<DatanetCommit[]> {
  const [operations, datanet] = await Promise.all([
    listAllOperations(client, datanetId),
    getLeaf(client, datanetId),
  ]);
  const executed = operations
    .filter(
      ({ kind, b, status, opIndex }) =>
        kind === "commitData" && b === datanetId && status !== "dropped" && opIndex != null,
    )
    .sort((a, b) => a.opIndex! - b.opIndex!);
  const commits = executed.map(({ a, words, amountCode, opIndex }) => ({
    contributorId: a,
    rowsRoot: words[0]!,
    rowCount: Number(amountCode),
    opIndex: opIndex!,
  }));
  if (commitChain(commits) !== datanet.chain) {
    throw clientError(
      "CLI_COMMITS_INCOMPLETE",
      `the ${commits.length} commits that the sequencer lists are not those of datanet ${datanetId}`,
      { data: { datanetId, listedCount: commits.length } },
    );
  }
  const publications = operations.filter(
    ({ kind, a, status, opIndex }) =>
      kind === "publishVersion" && a === datanetId && status !== "dropped" && opIndex != null,
  );
  const publishedIndex = Math.max(-1, ...publications.map(({ opIndex }) => opIndex!));
  return commits.map(({ opIndex, ...commit }) => ({
    ...commit,
    isAfterVersion: publications.length > 0 && opIndex > publishedIndex,
  }));
}

/**
 * Every operation of a leaf, newest first.
 * @internal
 */
export async function listAllOperations(client: LedgerClient, leafId: number): Promise<LedgerOperation[]> {
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

/**
 * Commits of a Datanet, from the sequencer's list of operations, checked against the chain of hashes in the Datanet's leaf.
 * Versions are collected and verified from them.
 */
import { commitChain, type DatanetHistory, datanetHistory } from "@openledger/circuits/ledger/version-rows";
import type { Hex } from "viem";
import { clientError } from "../../client-errors.ts";
import { getLeaf, readOperations } from "../../sequencer/ledger-reads.ts";
import type { SequencerAccess, SequencerErrorCode } from "../../sequencer/sequencer-request.ts";
import type { LeafOperation, LeafOperations } from "../../sequencer/sequencer-schemas.ts";

/** One CommitData or ForcedCommitData: the contributor, the number of rows, and their root. */
export interface DatanetCommit {
  readonly contributorId: number;
  readonly rowsRoot: bigint;
  readonly rowCount: number;
  /** True for a commit after the published version: only a later version may have its rows. */
  readonly isAfterVersion: boolean;
  /** Time of the commit by the sequencer's word, in Unix milliseconds; null if it does not know it. */
  readonly committedAtMs: number | null;
  /** True if its batch is final on L1. Hosts take no rows before. */
  readonly isFinal: boolean;
}

/** Maximum operations in one answer of the sequencer. */
const PAGE_SIZE = 200;

export type ListCommitsErrorCode = "CLI_COMMITS_INCOMPLETE" | "CLI_LEAF_NOT_FOUND" | SequencerErrorCode;

/**
 * Lists all rows that were ever committed to a datanet, in the ledger's order. The sequencer's list is checked against
 * the datanet's chain: none is missing, added or out of place.
 * @throws CLI_COMMITS_INCOMPLETE, CLI_LEAF_NOT_FOUND
 * @example
 * ```ts
 * for (const { contributorId, rowCount } of await listCommits(client, 10)) console.log(contributorId, rowCount);
 * ```
 */
export async function listCommits(client: SequencerAccess, datanetId: number): Promise<DatanetCommit[]> {
  const { commits } = await readCheckedHistory(client, datanetId);
  return commits.map(({ operation, ...commit }) => ({
    ...commit,
    committedAtMs: operation.acknowledgedAtMs ?? null,
    isFinal: operation.status === "final",
  }));
}

/**
 * Reads a datanet's history as `readHistory` does, and checks its commits as `listCommits` does, and the number of its versions.
 * @throws CLI_COMMITS_INCOMPLETE
 * @internal
 */
export async function readCheckedHistory(
  client: SequencerAccess,
  datanetId: number,
): Promise<DatanetHistory<LeafOperation>> {
  const [history, datanet] = await Promise.all([readHistory(client, datanetId), getLeaf(client, datanetId)]);
  const { commits, versions } = history;
  // A sequencer that has pruned the first version, and no commit, would have the others numbered wrongly.
  const isWhole =
    history.isComplete || datanet.datanet == null || versions.length === datanet.datanet.version;
  if (commitChain(commits) !== datanet.chain || !isWhole) {
    throw clientError(
      "CLI_COMMITS_INCOMPLETE",
      `the ${commits.length} commits and ${versions.length} versions that the sequencer lists are not those of datanet ${datanetId}`,
      { data: { datanetId, listedCount: commits.length, versionCount: versions.length } },
    );
  }
  return history;
}

/**
 * Reads the commits and publications of a datanet, by signed and by forced operations, without any check. `isComplete`: nothing of it
 * is older than what the sequencer has.
 * @internal
 */
export async function readHistory(
  client: SequencerAccess,
  datanetId: number,
): Promise<DatanetHistory<LeafOperation> & { readonly isComplete: boolean }> {
  const all: LeafOperation[] = [];
  let isComplete = false;
  for (let before: Hex | number | null | undefined; before !== null; ) {
    const page: LeafOperations = await readOperations(client, datanetId, {
      limit: PAGE_SIZE,
      ...(before === undefined ? {} : { before }),
    });
    all.push(...page.operations);
    before = page.nextBefore;
    isComplete = page.isComplete;
  }
  return { ...datanetHistory(datanetId, all), isComplete };
}

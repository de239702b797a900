/** Commits and versions of a datanet, read from the list of its leaf's operations (docs/reference/api.md): signed and forced ones. */

interface Listed {
  readonly kind: string;
  readonly a: number;
  readonly b: number;
  readonly status: string;
  /** How many signed operations were executed before it; of one that was not executed there is none. */
  readonly opIndex?: number | null | undefined;
}
interface SignedListed extends Listed {
  readonly hash: string;
  readonly amountCode: bigint;
  readonly words: readonly bigint[];
}
interface ForcedListed extends Listed {
  readonly hash: null;
  readonly amountWei: bigint;
  readonly word1: bigint;
  readonly word2: bigint;
  readonly word4: bigint;
}
export type ListedOperation = SignedListed | ForcedListed;

interface Commit<Operation> {
  readonly contributorId: number;
  readonly rowsRoot: bigint;
  readonly rowCount: number;
  /** Whether a version was published before it, and none after it. */
  readonly isAfterVersion: boolean;
  readonly operation: Operation;
}

interface Version<Operation> {
  readonly rowsRoot: bigint;
  readonly rowCount: number;
  readonly policy: bigint;
  readonly operation: Operation;
}

export interface DatanetHistory<Operation> {
  /** In the ledger's order. */
  readonly commits: readonly Commit<Operation>[];
  readonly versions: readonly Version<Operation>[];
}

/** @param operations the leaf's, newest first, as the sequencer lists them */
export function datanetHistory<Operation extends ListedOperation>(
  datanetId: number,
  operations: readonly Operation[],
): DatanetHistory<Operation> {
  const executed = operations
    .filter(({ opIndex, status }) => status !== "dropped" && opIndex != null)
    .reverse()
    .sort((one, other) => one.opIndex! - other.opIndex!);
  const versions = executed.flatMap((operation) => versionOf(operation, datanetId));
  const lastVersion = versions.at(-1)?.operation;
  const published = lastVersion === undefined ? executed.length : executed.indexOf(lastVersion);
  const commits = executed.flatMap((operation, i) =>
    commitOf(operation, datanetId).map((commit) => ({ ...commit, isAfterVersion: i > published })),
  );
  return { commits, versions };
}

function commitOf<Operation extends ListedOperation>(operation: Operation, datanetId: number) {
  const { a: contributorId, b, hash, kind } = operation;
  if (b !== datanetId) return [];
  if (hash === null)
    return kind === "forcedCommitData"
      ? [{ contributorId, rowsRoot: operation.word2, rowCount: Number(operation.amountWei), operation }]
      : [];
  const { amountCode, words } = operation;
  return kind === "commitData"
    ? [{ contributorId, rowsRoot: words[0]!, rowCount: Number(amountCode), operation }]
    : [];
}

function versionOf<Operation extends ListedOperation>(operation: Operation, datanetId: number) {
  const { a, hash, kind } = operation;
  if (a !== datanetId) return [];
  if (hash === null) {
    const { amountWei, word1: rowsRoot, word4: policy } = operation;
    return kind === "forcedPublishVersion"
      ? [{ rowsRoot, rowCount: Number(amountWei), policy, operation }]
      : [];
  }
  const [rowsRoot, , , rowCount, policy] = operation.words;
  return kind === "publishVersion"
    ? [{ rowsRoot: rowsRoot!, rowCount: Number(rowCount), policy: policy!, operation }]
    : [];
}

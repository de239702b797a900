/**
 * Hashes of rows, and the trees over them, by which a contributor's commit and a Datanet's version name their rows on the
 * ledger (docs/reference/ledger.md, "Rows and owners"). Clients, hosts and trainings compute them.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { atOnce, type Steps } from "@openledger/foundation/slices";
import { type HashRequest, hashTagged, hashTaggedMany } from "../field/poseidon.ts";
import { FIELD_ORDER, TAG, TREE_ARITY } from "../protocol.ts";

/** The chain of a Datanet's leaf after these commits, in the ledger's order (docs/reference/ledger.md). Needs `initPoseidon`. */
export function commitChain(
  commits: readonly {
    readonly rowsRoot: bigint;
    readonly contributorId: number;
    readonly rowCount: number;
  }[],
): bigint {
  return commits.reduce(
    (link, { contributorId, rowCount, rowsRoot }) =>
      hashTagged(TAG.commit, [link, rowsRoot, BigInt(contributorId) | (BigInt(rowCount) << 24n)]),
    0n,
  );
}

/** A row of a version and the two leaves that it earns for. */
export interface VersionRow {
  readonly rowHash: bigint;
  readonly contributorId: number;
  readonly validatorId: number;
}

/** SHA-256 of a row's bytes, mod r: the row's name in every tree. The store's file names are the digest itself. */
export function hashRow(content: Uint8Array): bigint {
  return digestToField(sha256(content));
}

export function digestToField(digest: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(digest)}`) % FIELD_ORDER;
}

/** Minimum depth, at least 1, of an eight-ary tree that holds this many leaves. */
export function treeDepth(leafCount: number): number {
  let depth = 1;
  while (TREE_ARITY ** depth < leafCount) depth += 1;
  return depth;
}

/**
 * Root that CommitData carries: the tree over the row hashes, in the contributor's order. Needs
 * `initPoseidon`.
 */
export function contributionRoot(rowHashes: readonly bigint[]): bigint {
  return treeRoot(TAG.contributionNode, rowHashes, treeDepth(rowHashes.length));
}

export function hashVersionRow(row: VersionRow): bigint {
  return hashTagged(...versionRowRequest(row));
}

const versionRowRequest = ({ contributorId, rowHash, validatorId }: VersionRow): HashRequest => [
  TAG.versionRow,
  [rowHash, BigInt(contributorId), BigInt(validatorId)],
];

/** Root that PublishVersion carries: the tree over the rows in the version's order. Needs `initPoseidon`. */
export const versionRowsRoot = (rows: readonly VersionRow[]): bigint =>
  atOnce(versionRowsRootSteps(rows.length, (row) => rows[row]!));

/** Height of the subtrees that are hashed in one step, of 64 rows: a few milliseconds in WebAssembly. */
const STEP_HEIGHT = 2;

/**
 * The root of a version's rows in steps: a row, or 64 rows' subtree. Needs `initPoseidon`.
 * @param rowAt called once for each row, in order, and once in a step: it may hash a row's bytes
 */
export function* versionRowsRootSteps(rowCount: number, rowAt: (row: number) => VersionRow): Steps<bigint> {
  const depth = treeDepth(rowCount);
  const height = Math.min(depth, STEP_HEIGHT);
  const roots: bigint[] = [];
  let requests: HashRequest[] = [];
  for (let row = 0; row < rowCount; row++) {
    requests.push(versionRowRequest(rowAt(row)));
    yield row / rowCount;
    if (requests.length < TREE_ARITY ** height && row + 1 < rowCount) continue;
    roots.push(treeRoot(TAG.versionNode, hashTaggedMany(requests), height));
    requests = [];
    yield (row + 1) / rowCount;
  }
  const { empty, levels } = treeLevels(TAG.versionNode, roots, depth - height, height);
  return levels.at(-1)![0] ?? empty.at(-1)!;
}

// Trees of known leaves, eight children a node, under any node tag: roots, and paths as PathUpdate8 takes them.

/** Hashes of empty subtrees by their height, of each node tag. */
const emptyOfTag = new Map<bigint, bigint[]>();

function emptyLevels(nodeTag: bigint, depth: number): readonly bigint[] {
  const levels = emptyOfTag.get(nodeTag) ?? [0n];
  emptyOfTag.set(nodeTag, levels);
  while (levels.length <= depth)
    levels.push(hashTagged(nodeTag, Array<bigint>(TREE_ARITY).fill(levels.at(-1)!)));
  return levels;
}

/**
 * Levels of the tree from the leaves up, and the hash of an empty subtree of each.
 * @param height of subtrees whose roots stand in place of the leaves
 */
function treeLevels(nodeTag: bigint, leaves: readonly bigint[], depth: number, height = 0) {
  const levels: bigint[][] = [[...leaves]];
  const empty = emptyLevels(nodeTag, height + depth).slice(height, height + depth + 1);
  for (let i = 0; i < depth; i++) {
    const level = levels[i]!;
    const nodes = Array.from(
      { length: Math.ceil(level.length / TREE_ARITY) },
      (_, parent): HashRequest => [nodeTag, childrenAt(level, parent, empty[i]!)],
    );
    levels.push(hashTaggedMany(nodes));
  }
  return { levels, empty };
}

const childrenAt = (level: readonly bigint[], parent: number, empty: bigint): bigint[] =>
  Array.from({ length: TREE_ARITY }, (_, i) => level[parent * TREE_ARITY + i] ?? empty);

/**
 * Root of an eight-ary Poseidon tree: an absent leaf is 0, a node is H[nodeTag](c0 … c7). Anyone who states the root
 * also states the number of leaves, so a leaf of 0 cannot stand for an absent one.
 */
export function treeRoot(nodeTag: bigint, leaves: readonly bigint[], depth: number): bigint {
  return treePaths(nodeTag, leaves, depth).root;
}

/** Path of leaf `index`: all eight children on the way up, one row a level. */
export function treePath(
  nodeTag: bigint,
  leaves: readonly bigint[],
  depth: number,
  index: number,
): bigint[][] {
  return treePaths(nodeTag, leaves, depth).path(index);
}

/** Root and paths of one tree, hashed once. */
export function treePaths(
  nodeTag: bigint,
  leaves: readonly bigint[],
  depth: number,
): { readonly root: bigint; path(index: number): bigint[][] } {
  const { levels, empty } = treeLevels(nodeTag, leaves, depth);
  return {
    root: levels[depth]![0] ?? empty[depth]!,
    path: (index) =>
      Array.from({ length: depth }, (_, level) =>
        childrenAt(levels[level]!, Math.floor(index / TREE_ARITY ** (level + 1)), empty[level]!),
      ),
  };
}

// Commits and versions of a datanet, read from the list of its leaf's operations (docs/reference/api.md): signed and forced ones.

interface Listed {
  readonly kind: string;
  readonly a: number;
  readonly b: number;
  readonly status: string;
  /** Number of signed operations executed before it; absent if it was not executed. */
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
  /** True if a version was published before the commit and none after it. */
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
  /** Commits in the ledger's order. */
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

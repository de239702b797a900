/**
 * State of the whole ledger in memory: tree, leaves with their openings, next id. The sequencer executes on it;
 * verifiers rebuild it from L1 and compare roots.
 */
import { operationError } from "../circuit-errors.ts";
import { GENESIS_FEE_ACCOUNT_ID, GENESIS_NEXT_ID, TREASURY_ID, TREE_DEPTH } from "../protocol.ts";
import { ChangedLeaves } from "./flat/changed-leaves.ts";
import { type FlatLeaf, FlatLedger } from "./flat/flat-ledger.ts";
import { LedgerLeaves } from "./flat/ledger-leaves.ts";
import { accountLeaf, EMPTY_LEAF, type LeafState } from "./leaf.ts";
import { hashVersions, LedgerTree } from "./ledger-tree.ts";

export { type FlatLeaf, FlatLedger };

/** Maximum leaves that `putAll` holds as nodes before it folds them. */
const PUT_AT_ONCE = 4_096;

/** State of the ledger: the tree, the openings of its leaves, and the next free id. */
export class Ledger {
  readonly tree: LedgerTree;
  /** All leaves: the base, with the changes since the last fold over it. */
  readonly leaves: LedgerLeaves;
  nextId = 0;
  /** Leaves as of the last fold. Only `fold` writes to it. */
  readonly base: FlatLedger;
  readonly #changed: ChangedLeaves;

  /** @param base of that depth; what the ledger begins as, and the ledger's own from now on */
  constructor(depth: number = TREE_DEPTH, base: FlatLedger = new FlatLedger(depth)) {
    this.tree = new LedgerTree(depth, base.view);
    this.#changed = new ChangedLeaves(base);
    this.leaves = new LedgerLeaves(base, this.#changed);
    this.base = base;
  }

  get root(): bigint {
    return this.tree.root;
  }

  leaf(id: number): LeafState | undefined {
    return this.leaves.get(id);
  }

  /** The leaf as of the last fold. */
  foldedLeaf(id: number): LeafState | undefined {
    return this.base.leaf(id);
  }

  /** Returns the leaf. @throws OP_UNKNOWN_LEAF */
  requireLeaf(id: number): LeafState {
    const state = this.leaves.get(id);
    if (state === undefined) {
      throw operationError("OP_UNKNOWN_LEAF", `there is no leaf ${id}`, { data: { id } });
    }
    return state;
  }

  /** The leaf as a slot opens it: all zero where the tree is empty. */
  opened(id: number): LeafState {
    return this.leaves.get(id) ?? { leaf: EMPTY_LEAF };
  }

  /** Sets a leaf. @param leafHash if the caller knows it for certain; else it is computed with the next root */
  put(id: number, state: LeafState, leafHash?: bigint): void {
    this.#changed.set(id, state);
    this.tree.put(id, state.leaf, leafHash);
  }

  remove(id: number): void {
    this.#changed.set(id, null);
    this.tree.update(id, 0n);
  }

  /** Follows `put` for any number of leaves. The tree hashes every node once, when its root is read. */
  putAll(states: Iterable<readonly [id: number, state: LeafState, leafHash?: bigint]>): void {
    for (const [id, state, leafHash] of states) {
      this.put(id, state, leafHash);
      if (this.#changed.size >= PUT_AT_ONCE) this.foldAll();
    }
  }

  /**
   * Writes leaves of this ledger into its flat base, from batches that cannot be reverted any more. The
   * ledger's contents do not change, nor does any version of its tree.
   */
  fold(leaves: Iterable<FlatLeaf>): void {
    const folded = [...leaves];
    const differing = folded.filter(([id, , hash]) => this.base.known(0, id) !== hash);
    for (const [id] of differing) {
      // A leaf without a change would follow the fold, although a later batch has set it back to the base's state.
      if (this.#changed.has(id)) continue;
      const state = this.base.leaf(id);
      if (state === undefined) this.remove(id);
      else this.put(id, state, this.base.known(0, id));
    }
    this.base.fold(differing);
    for (const [id] of differing) this.#changed.rebase(id);
    for (const id of this.tree.settle(folded.map(([id]) => id))) this.#changed.delete(id);
  }

  /** Folds all changed leaves. */
  foldAll(): void {
    hashVersions([this.tree.version]);
    const { version } = this.tree;
    this.fold([...this.#changed].map(([id, state]) => [id, state ?? undefined, version.leafHash(id)]));
  }

  /**
   * Sum of L2's debts in wei: balances, open and closed amounts, and accrued but unclaimed earnings of
   * payees.
   */
  totalWei(): bigint {
    let sum = this.base.accountWei();
    for (const [, state] of this.base.withMore) sum += owedWei(state);
    for (const [id, state] of this.#changed) {
      const before = this.base.leaf(id);
      if (before !== undefined) sum -= owedWei(before);
      if (state !== null) sum += owedWei(state);
    }
    return sum;
  }
}

function owedWei({ leaf, rewards }: LeafState): bigint {
  let sum = leaf.balance + leaf.openAmount + (rewards?.closed?.amountWei ?? 0n);
  for (const wei of rewards?.accruedWei ?? []) sum += wei;
  for (const wei of rewards?.claimedWei ?? []) sum -= wei;
  return sum;
}

/** Owners of the genesis leaves. */
export interface Genesis {
  readonly treasuryOwner: bigint;
  readonly operatorOwner: bigint;
  readonly operatorKeyX: bigint;
}

/**
 * The ledger before the first batch: the treasury and the operator's fee account (docs/reference/ledger.md, "State").
 */
export function genesisLedger(genesis: Genesis, depth: number = TREE_DEPTH): Ledger {
  const ledger = new Ledger(depth);
  ledger.put(TREASURY_ID, { leaf: accountLeaf({ l1Owner: genesis.treasuryOwner }) });
  ledger.put(GENESIS_FEE_ACCOUNT_ID, {
    leaf: accountLeaf({ l1Owner: genesis.operatorOwner, keyX: genesis.operatorKeyX }),
  });
  ledger.nextId = GENESIS_NEXT_ID;
  return ledger;
}

/** Position of a ledger after a batch. L1's contract, the bridge and the sequencer share it. */
export interface LedgerPosition {
  readonly batchNumber: number;
  readonly root: bigint;
  /** Number of signed operations executed so far. */
  readonly opIndex: number;
  /** Number of queue entries executed so far. */
  readonly queueHead: number;
}

/**
 * True if both positions are the same. Root, signed operations and queue determine the ledger; invalid queue
 * entries change nothing but the last.
 */
export function isSamePosition(one: LedgerPosition, other: LedgerPosition): boolean {
  return (
    one.batchNumber === other.batchNumber &&
    one.root === other.root &&
    one.opIndex === other.opIndex &&
    one.queueHead === other.queueHead
  );
}

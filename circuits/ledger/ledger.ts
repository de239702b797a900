import { operationError } from "../circuit-errors.ts";
import { GENESIS_FEE_ACCOUNT_ID, GENESIS_NEXT_ID, TREASURY_ID, TREE_DEPTH } from "../protocol.ts";
import { accountLeaf, EMPTY_LEAF, type LeafState } from "./leaf.ts";
import { LedgerTree } from "./ledger-tree.ts";

/** Everything the ledger holds: the tree, what its leaves open to, and the next free id. */
export class Ledger {
  readonly tree: LedgerTree;
  readonly leaves = new Map<number, LeafState>();
  nextId = 0;

  constructor(depth: number = TREE_DEPTH) {
    this.tree = new LedgerTree(depth);
  }

  get root(): bigint {
    return this.tree.root;
  }

  leaf(id: number): LeafState | undefined {
    return this.leaves.get(id);
  }

  /** @throws OP_UNKNOWN_LEAF */
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

  /** @param leafHash where the caller knows it for certain; else it is taken with the next root */
  put(id: number, state: LeafState, leafHash?: bigint): void {
    this.leaves.set(id, state);
    this.tree.put(id, state.leaf, leafHash);
  }

  /** As `put` for each. The tree hashes every node once, when its root is asked for. */
  putAll(states: Iterable<readonly [id: number, state: LeafState, leafHash?: bigint]>): void {
    for (const [id, state, leafHash] of states) this.put(id, state, leafHash);
  }

  /** Sum of what L2 owes: balances, open and closed amounts, and what payees have accrued but not claimed. */
  totalWei(): bigint {
    let sum = 0n;
    for (const { leaf, rewards } of this.leaves.values()) {
      sum += leaf.balance + leaf.openAmount + (rewards?.closed?.amountWei ?? 0n);
      for (const wei of rewards?.accruedWei ?? []) sum += wei;
      for (const wei of rewards?.claimedWei ?? []) sum -= wei;
    }
    return sum;
  }
}

/** Who the genesis leaves belong to. */
export interface Genesis {
  readonly treasuryOwner: bigint;
  readonly operatorOwner: bigint;
  readonly operatorKeyX: bigint;
}

/** The ledger before the first batch: the treasury and the operator's fee account (docs/reference/ledger.md, "State"). */
export function genesisLedger(genesis: Genesis, depth: number = TREE_DEPTH): Ledger {
  const ledger = new Ledger(depth);
  ledger.put(TREASURY_ID, { leaf: accountLeaf({ l1Owner: genesis.treasuryOwner }) });
  ledger.put(GENESIS_FEE_ACCOUNT_ID, {
    leaf: accountLeaf({ l1Owner: genesis.operatorOwner, keyX: genesis.operatorKeyX }),
  });
  ledger.nextId = GENESIS_NEXT_ID;
  return ledger;
}

/** How far a ledger is after a batch, as L1's contract, the bridge and the sequencer all know it. */
export interface LedgerPlace {
  readonly batchNumber: number;
  readonly root: bigint;
  /** Signed operations so far. */
  readonly opIndex: number;
  /** Queue entries taken so far. */
  readonly queueHead: number;
}

/** Root, signed operations and queue say what the ledger is; invalid queue entries change nothing but the last. */
export function isSamePlace(one: LedgerPlace, other: LedgerPlace): boolean {
  return (
    one.batchNumber === other.batchNumber &&
    one.root === other.root &&
    one.opIndex === other.opIndex &&
    one.queueHead === other.queueHead
  );
}

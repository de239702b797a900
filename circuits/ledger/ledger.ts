import { GENESIS_FEE_ACCOUNT_ID, GENESIS_NEXT_ID, TREASURY_ID, TREE_DEPTH } from "../protocol.ts";
import { RollupError } from "../rollup-error.ts";
import { accountLeaf, EMPTY_LEAF, type LeafRecord } from "./leaf.ts";
import { LedgerTree } from "./ledger-tree.ts";

/** Everything the ledger holds: the tree, what its leaves open to, and the next free id. */
export class Ledger {
  readonly tree: LedgerTree;
  readonly records = new Map<number, LeafRecord>();
  nextId = 0;

  constructor(depth: number = TREE_DEPTH) {
    this.tree = new LedgerTree(depth);
  }

  get root(): bigint {
    return this.tree.root;
  }

  record(id: number): LeafRecord | undefined {
    return this.records.get(id);
  }

  /** @throws OP_UNKNOWN_LEAF */
  requireRecord(id: number): LeafRecord {
    const record = this.records.get(id);
    if (record === undefined) {
      throw new RollupError("OP_UNKNOWN_LEAF", `there is no leaf ${id}`, { data: { id } });
    }
    return record;
  }

  /** The leaf as a slot opens it: all zero where the tree is empty. */
  opened(id: number): LeafRecord {
    return this.records.get(id) ?? { leaf: EMPTY_LEAF };
  }

  /** @param leafHash where the caller knows it for certain; else it is taken with the next root */
  put(id: number, record: LeafRecord, leafHash?: bigint): void {
    this.records.set(id, record);
    this.tree.put(id, record.leaf, leafHash);
  }

  /** As `put` for each. The tree hashes every node once, when its root is asked for. */
  putAll(records: Iterable<readonly [id: number, record: LeafRecord, leafHash?: bigint]>): void {
    for (const [id, record, leafHash] of records) this.put(id, record, leafHash);
  }

  /** Sum of what L2 owes: balances, open and sealed amounts, and what slots have accrued but not claimed. */
  totalWei(): bigint {
    let sum = 0n;
    for (const { leaf, rewards } of this.records.values()) {
      sum += leaf.balance + leaf.openAmount + (rewards?.sealed?.amountWei ?? 0n);
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

/** The ledger before the first batch: the treasury and the operator's fee account (docs/ledger.md, "State"). */
export function genesisLedger(genesis: Genesis, depth: number = TREE_DEPTH): Ledger {
  const ledger = new Ledger(depth);
  ledger.put(TREASURY_ID, { leaf: accountLeaf({ l1Owner: genesis.treasuryOwner }) });
  ledger.put(GENESIS_FEE_ACCOUNT_ID, {
    leaf: accountLeaf({ l1Owner: genesis.operatorOwner, keyX: genesis.operatorKeyX }),
  });
  ledger.nextId = GENESIS_NEXT_ID;
  return ledger;
}

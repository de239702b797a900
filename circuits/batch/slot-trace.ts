/**
 * Trace of one slot, an operation's place in a batch: the values from which the circuit's inputs are made. Also the two writes
 * of leaves that end every operation; slot.ts, queue-slot.ts and settlement-slot.ts call them.
 */
import { DUMMY } from "../field/curve/dummy-signature.ts";
import { recoverKeyY, type Signature } from "../field/curve/eddsa.ts";
import type { DatanetBody, Leaf, LeafState, ModelBody } from "../ledger/leaf.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { TreeVersion } from "../ledger/ledger-tree.ts";
import type { QueueOperation, SignedOperation } from "../ledger/operation.ts";
import type { SlotRecord } from "./batch-data.ts";
import type { ClaimRewardsTrace, SettlementTrace } from "./epoch-operations.ts";
import type { JointApproval } from "./member-operations.ts";
import type { SettlementOperation } from "./settlement-operation.ts";

/** Values that a batch fixes for all its slots. */
export interface SlotContext {
  readonly domain: bigint;
  readonly batchNumber: bigint;
  readonly timestamp: bigint;
  readonly feePerUnitWei: bigint;
  readonly idFeeWei: bigint;
  /**
   * True if balances are in range only after the last slot of the table; `requireBalances` checks them then.
   */
  readonly isAtOnce?: boolean;
}

/** Witness of one executed slot, before its layout for a circuit. */
export interface SlotTrace {
  readonly record: SlotRecord;
  readonly oldRoot: bigint;
  readonly newRoot: bigint;
  readonly feeWei: bigint;
  /** Leaf A before the slot, leaf B after A's update and before B's own. */
  readonly a: Leaf;
  readonly b: Leaf;
  readonly childrenA: readonly (readonly bigint[])[];
  readonly childrenB: readonly (readonly bigint[])[];
  readonly maxFeePerUnitWei: bigint;
  readonly keyY: bigint;
  readonly signature: Signature;
  /** Openings of A's datanet body and B's model body, for the kinds that need them. */
  readonly datanetA: DatanetBody | null;
  readonly modelB: ModelBody | null;
  readonly jointApproval: JointApproval | null;
  readonly claimRewards: ClaimRewardsTrace | null;
  readonly settlement: SettlementTrace | null;
}

/** Any operation that a slot can execute. */
export type Operation = SignedOperation | QueueOperation | SettlementOperation;

/** Effect of an operation on its two leaves. */
export interface Effect {
  readonly record: SlotRecord;
  readonly feeWei: bigint;
  /** New state of leaf A; null if it is opened and left unchanged. Likewise `newB`. */
  readonly newA: LeafState | null;
  readonly newB: LeafState | null;
  /**
   * Fee limit in wei a unit; null if the slot is not signed, or is replayed without its signature and then
   * never proven.
   */
  readonly maxFeePerUnitWei: bigint | null;
  readonly signature: Signature | null;
  /** x-coordinate of the signer's key. */
  readonly signerKeyX?: bigint;
  readonly claimRewards?: ClaimRewardsTrace | null;
  readonly jointApproval?: JointApproval | null;
  readonly settlement?: SettlementTrace;
}

/** The part of an effect that a slot without a signature has. */
export const UNSIGNED = { maxFeePerUnitWei: null, signature: null } as const;

/**
 * Writes A, then B on the new root. The trace has the roots and paths between, which are hashed on first use.
 */
export function applyEffect(ledger: Ledger, effect: Effect): SlotTrace {
  const versions: TreeVersion[] = [];
  const trace = apply(ledger, effect, () => versions.push(ledger.tree.version));
  const [before, between, after] = versions as [TreeVersion, TreeVersion, TreeVersion];
  return traceOnTree(trace, { before, between, after });
}

/** Follows `applyEffect` for a slot of the table, without roots and paths. */
export const applyTreeless = (ledger: Ledger, effect: Effect): TreelessTrace =>
  apply(ledger, effect, () => {});

/** @param look called before A's update, after it, and after B's */
function apply(ledger: Ledger, effect: Effect, look: () => void): TreelessTrace {
  const { record } = effect;
  look();
  const a = ledger.opened(record.a);
  if (effect.newA !== null) ledger.put(record.a, effect.newA);
  look();
  const b = ledger.opened(record.b);
  if (effect.newB !== null) ledger.put(record.b, effect.newB);
  look();
  return {
    record,
    feeWei: effect.feeWei,
    a: a.leaf,
    b: b.leaf,
    maxFeePerUnitWei: effect.maxFeePerUnitWei ?? 0n,
    keyY: effect.signature === null ? DUMMY.keyY : recoverKeyY(effect.signerKeyX!)!,
    signature: effect.signature ?? DUMMY.signature,
    datanetA: a.datanet ?? null,
    modelB: b.model ?? null,
    jointApproval: effect.jointApproval ?? null,
    claimRewards: effect.claimRewards ?? null,
    settlement: effect.settlement ?? null,
  };
}

/** The tree before a slot, after A's update and after B's. */
interface SlotTrees {
  readonly before: TreeVersion;
  readonly between: TreeVersion;
  readonly after: TreeVersion;
}

/** Trace without roots and paths. */
export type TreelessTrace = Omit<SlotTrace, "oldRoot" | "newRoot" | "childrenA" | "childrenB">;

const slotTrees = new WeakMap<SlotTrace, SlotTrees>();

/**
 * Trees of a trace that `applyEffect` made. A copy of a trace has none: its roots and paths are plain values.
 */
export const treesOf = (trace: SlotTrace): SlotTrees | undefined => slotTrees.get(trace);

/** A trace whose roots and paths are read from these trees. */
export function traceOnTree(trace: TreelessTrace, trees: SlotTrees): SlotTrace {
  const { a, b } = trace.record;
  const whole: SlotTrace = {
    ...trace,
    get oldRoot() {
      return trees.before.root;
    },
    get newRoot() {
      return trees.after.root;
    },
    get childrenA() {
      return trees.before.path(a);
    },
    get childrenB() {
      return trees.between.path(b);
    },
  };
  slotTrees.set(whole, trees);
  return whole;
}

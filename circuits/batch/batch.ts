/**
 * Opens a batch on a ledger, closes it with the traces of its operations for the prover, or replays it from its data on L1.
 * Sequencer and verifiers share the rules; amounts are wei.
 */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { circuitError, operationError } from "../circuit-errors.ts";
import type { Leaf } from "../ledger/leaf.ts";
import { credit, refuse } from "../ledger/leaf-rules.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { TreeVersion } from "../ledger/ledger-tree.ts";
import type { QueueOperation } from "../ledger/operation.ts";
import { type BatchShape, KIND, kindRule, MAX_AMOUNT_WEI } from "../protocol.ts";
import type { BatchData, L1Header, PostedHeader, SlotRecord } from "./batch-data.ts";
import type { ReplayedSettlement } from "./settlement-operation.ts";
import { replaySettlement } from "./settlement-slot.ts";
import { executeSlot, replaySlot } from "./slot.ts";
import type { SlotContext, SlotTrace, TreelessTrace } from "./slot-trace.ts";

/** Parameters that open a batch. */
export interface BatchOpening extends L1Header {
  readonly shape: BatchShape;
  readonly timestamp: bigint;
  readonly feeAccountId: number;
  readonly feePerUnitWei: bigint;
}

/** The credit of the batch's fees, after the last slot. */
export interface FeeTrace {
  readonly id: number;
  readonly leaf: Leaf;
  readonly children: readonly (readonly bigint[])[];
  readonly totalWei: bigint;
}

export interface ClosedBatch {
  readonly data: BatchData;
  /**
   * Traces of all wide slots of the shape, nulls included. The effects of the table's slots are in its
   * layout.
   */
  readonly wide: readonly SlotTrace[];
  readonly fee: FeeTrace;
}

/** An operation's trace and its slot in the batch. */
export interface SourcedTrace {
  readonly trace: TreelessTrace;
  /** Place among the circuit's slots: the table's first, then wide ones. */
  readonly slot: number;
}

/** Fee trace whose path is read from the tree before the credit, on first use. */
export function feeOnTree(fee: Omit<FeeTrace, "children">, before: TreeVersion): FeeTrace {
  return {
    ...fee,
    get children() {
      return before.path(fee.id);
    },
  };
}

/** Credits all fees of a batch to its fee leaf. @throws OP_BALANCE_OVERFLOW */
export function creditFees(ledger: Ledger, id: number, totalWei: bigint): FeeTrace {
  const record = ledger.requireLeaf(id);
  const trace = feeOnTree({ id, leaf: record.leaf, totalWei }, ledger.tree.version);
  const balance = record.leaf.balance + totalWei;
  if (balance > MAX_AMOUNT_WEI) {
    throw operationError("OP_BALANCE_OVERFLOW", `the fee leaf ${id} would hold more than 96 bits`, {
      data: { id },
    });
  }
  ledger.put(id, { ...record, leaf: { ...record.leaf, balance } });
  return trace;
}

/** A queue operation as a posted record describes it. */
export function queueOperationOf(record: SlotRecord, queueIndex: number): QueueOperation {
  const [amountWei, word1, word2, sender, word3, word4] = record.words as bigint[];
  const isNew = record.kind === KIND.depositNew;
  return {
    kind: record.kind,
    queueIndex,
    a: record.a,
    b: isNew ? 0 : record.b,
    amountWei: amountWei!,
    word1: word1!,
    word2: word2!,
    // A ForcedWithdraw's fifth word is the executed amount.
    word3: record.kind === KIND.forcedWithdraw ? 0n : (word3 ?? 0n),
    word4: word4 ?? 0n,
    sender: sender!,
  };
}

interface ReplayOptions {
  /**
   * Gets the error where `checkForm` refuses a record. The record is then applied all the same, as the field's elements
   * that it is. It is for callers that need the leaves of a root that L1 already holds, right or wrong: the new root
   * still has to follow.
   */
  readonly onBrokenForm?: ((error: RollupError) => void) | undefined;
}

/**
 * Applies a posted batch to the ledger, as a verifier does. The proof covers signatures, nonces and fee
 * limits; every other rule is recomputed. `settlements`: posted data of its Settle and Activation records, in
 * order.
 * @throws CIR_REPLAY_DIFFERS naming the first value that differs from the batch's; OP_* for a broken rule.
 * The ledger is then half-way.
 */
export function replayBatch(
  ledger: Ledger,
  data: BatchData,
  settlements: readonly ReplayedSettlement[] = [],
  { onBrokenForm }: ReplayOptions = {},
): void {
  const differs = (what: string, expected: unknown, actual: unknown): never => {
    throw circuitError(
      "CIR_REPLAY_DIFFERS",
      `batch ${data.batchNumber}: ${what} is ${actual}, recomputed ${expected}`,
      {
        data: {
          batchNumber: data.batchNumber.toString(),
          what,
          expected: String(expected),
          actual: String(actual),
        },
      },
    );
  };
  if (ledger.root !== data.oldRoot) differs("old root", ledger.root, data.oldRoot);
  if (ledger.nextId !== data.oldNextId) differs("old nextId", ledger.nextId, data.oldNextId);
  let totalWei = 0n;
  let signedCount = 0;
  let settlementCount = 0;
  const replaySigned = (record: SlotRecord, context: SlotContext) => {
    const rule = kindRule(record.kind);
    replaySlot(ledger, record, context, onBrokenForm);
    if (rule?.isSigned) signedCount += 1;
    totalWei += BigInt(rule?.weight ?? 0) * data.feePerUnitWei;
  };
  for (const record of data.narrow) {
    if (kindRule(record.kind)?.isNarrow !== true)
      refuse("OP_UNKNOWN_KIND", `kind ${record.kind} has no place in a narrow slot`, { kind: record.kind });
    replaySigned(record, { ...data, isAtOnce: true });
  }
  requireBalances(ledger, data.narrow);
  for (const record of data.wide) {
    const rule = kindRule(record.kind);
    if (rule?.isQueue) {
      const { record: replayed } = executeSlot(ledger, queueOperationOf(record, 0), data);
      if (replayed.isValid !== record.isValid)
        differs("a queue entry's validity", replayed.isValid, record.isValid);
      if (replayed.b !== record.b) differs("a deposit's id", replayed.b, record.b);
      if (replayed.words[4] !== record.words[4])
        differs("an executed amount", replayed.words[4], record.words[4]);
      continue;
    }
    if (rule?.isSettlement) {
      const posted = settlements[settlementCount++];
      if (posted === undefined) throw differs("the number of settlements", "more", settlements.length);
      replaySettlement(ledger, record, posted, data);
      continue;
    }
    replaySigned(record, data);
  }
  if (settlementCount !== settlements.length)
    differs("the number of settlements", settlementCount, settlements.length);
  if (signedCount !== data.signedCount) differs("signedCount", signedCount, data.signedCount);
  creditFees(ledger, data.feeAccountId, totalWei);
  if (ledger.nextId !== data.newNextId) differs("new nextId", ledger.nextId, data.newNextId);
  if (ledger.root !== data.newRoot) differs("new root", ledger.root, data.newRoot);
}

/**
 * Requires, for narrow slots that are executed at once, that no balance is negative or above 96 bits after
 * the last one. @throws OP_BALANCE_*
 */
function requireBalances(ledger: Ledger, records: readonly SlotRecord[]): void {
  for (const id of new Set(records.flatMap(({ a, b }) => [a, b]))) {
    const balance = ledger.leaf(id)?.leaf.balance ?? 0n;
    if (balance < 0n) {
      refuse("OP_BALANCE_TOO_LOW", `leaf ${id} lacks ${-balance} wei after the batch's narrow slots`, {
        id,
        balanceWei: balance.toString(),
        neededWei: "0",
      });
    }
    credit(balance, 0n);
  }
}

export type { PostedHeader };

/**
 * Test support: random narrow sections that no order may allow, and false claims of what they lead to. Whether a batch is
 * right is asked twice: by replay, as full nodes do, and by the formal sums of the table's equation with the rows' own rule.
 */

import { isRollupError } from "@openledger/foundation/rollup-error";
import { creditFees, replayBatch } from "../batch/batch.ts";
import type { BatchData, SlotRecord } from "../batch/batch-data.ts";
import { executeSlot, operationFeeWei, replaySlot } from "../batch/slot.ts";
import type { SlotTrace } from "../batch/slot-trace.ts";
import { encodeAmount, floorAmount } from "../ledger/amount-float.ts";
import type { Leaf } from "../ledger/leaf.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { LedgerTree, type TreeVersion } from "../ledger/ledger-tree.ts";
import { KIND, MAX_AMOUNT_WEI } from "../protocol.ts";
import { layOutTable, type TableLayout, type TableRow } from "../table/table-layout.ts";
import { postedShape, type TableShape } from "../table/table-shape.ts";
import { RandomLedger, signFor } from "./random-ledger.ts";
import { tableTerms, unbalanced } from "./table-terms.ts";

const AT_ONCE_DEPTH = 3;
const SHAPE: TableShape = {
  transfers: 6,
  members: 4,
  wide: 1,
  rows: 10,
  units: 3,
  low: 1,
  top: 1,
};

interface AtOnceVerdicts {
  /** Error of the replay; null if the batch was accepted. */
  readonly replay: string | null;
  readonly isBalanced: boolean;
  /** True if strict order allows it, too. */
  readonly isInOrder: boolean;
  /** Deliberate error of the claim; null for an honest one. */
  readonly lie: string | null;
}

/** Ledger of a seed before its batch: the same at every call. */
const worldOf = (seed: number) => new RandomLedger(seed, AT_ONCE_DEPTH);

/** Judges one random batch: executed at once, with its slots shuffled and its claim perhaps false. */
function judgeAtOnce(seed: number): AtOnceVerdicts {
  const world = worldOf(seed);
  const { ledger, random } = world;
  const opening = world.opening(postedShape(SHAPE));
  const before = ledger.tree.version;
  const people = [...world.accounts, ...world.datanets, ...world.models];
  const sections: Record<"transfers" | "members", SlotTrace[]> = { transfers: [], members: [] };
  const position = (kind: number, section: "transfers" | "members") => {
    const a = random.pick(people);
    const b =
      kind === KIND.transfer
        ? random.pick(people)
        : random.pick(kind === KIND.commitData ? world.datanets : world.models);
    const wei = ledger.requireLeaf(a.id).leaf.balance;
    // More than the payer has, about every third time: somebody may give it to them later in the batch.
    const part = wei <= 0n ? 10n ** 18n : (wei * BigInt(random.below(150))) / 100n;
    const amountCode = kind === KIND.commitData ? BigInt(random.below(9)) : encodeAmount(floorAmount(part));
    const words = kind === KIND.transfer ? [] : [random.field()];
    const operation = signFor(ledger, a.secret, { kind, a: a.id, b: b.id, amountCode, words });
    try {
      sections[section].push(executeSlot(ledger, operation, { ...opening, isAtOnce: true }));
    } catch (error) {
      // An unapproved model, a price: what no batch may hold in any order.
      if (!isRollupError(error)) throw error;
    }
  };
  const transferCount = random.below(SHAPE.transfers + 1);
  for (let i = 0; i < transferCount; i++) position(KIND.transfer, "transfers");
  const memberCount = random.below(SHAPE.members + 1);
  for (let i = 0; i < memberCount; i++)
    position(random.pick([KIND.commitData, KIND.payInference]), "members");
  const transfers = shuffled(sections.transfers, (limit) => random.below(limit));
  const { members } = sections;
  const { lie, after, dropped } = falsify(ledger.tree.version, [...transfers, ...members], random);
  const keep = (traces: readonly SlotTrace[]) => traces.filter((trace) => trace !== dropped);

  const slots = { transfers: keep(transfers), members: keep(members) };
  const isInRange = [...slots.transfers, ...slots.members].every(({ record }) =>
    [record.a, record.b].every((id) => isAmount(after.leaf(id)!.balance)),
  );
  const layout = isInRange
    ? layOutTable(SHAPE, { ...slots, before, after, feePerUnitWei: opening.feePerUnitWei })
    : null;
  const holds = ({ rows, ...rest }: TableLayout) =>
    rows.every(keepsOthers) && unbalanced(tableTerms({ rows, ...rest }, opening.feePerUnitWei)).length === 0;
  const isBalanced = layout !== null && holds(layout);

  const gap = members.length === 0 ? 0 : SHAPE.transfers - slots.transfers.length;
  const narrow = [
    ...slots.transfers.map(({ record }) => record),
    ...Array<SlotRecord>(gap).fill(NULL_RECORD),
    ...slots.members.map(({ record }) => record),
  ];
  const feeWei = narrow.reduce((sum, { kind }) => sum + operationFeeWei(kind, opening.feePerUnitWei), 0n);
  const posted: BatchData = {
    ...opening,
    newRoot: isInRange ? withFee(after, opening.feeAccountId, feeWei) : 1n,
    newNextId: opening.oldNextId,
    signedCount: slots.transfers.length + slots.members.length,
    narrow,
    wide: [],
  };
  return {
    replay: replayVerdict(worldOf(seed).ledger, posted),
    isBalanced,
    isInOrder: isAllowedInOrder(worldOf(seed).ledger, posted),
    lie,
  };
}

const NULL_RECORD: SlotRecord = { kind: KIND.null, a: 0, b: 0, amountCode: 0n, isValid: false, words: [] };

/**
 * Rule that a row proves by itself (leaf-row.circom): only a member's chain, open amount and counters change.
 */
const keepsOthers = ({ after, before, isMember }: TableRow) =>
  isMember ||
  (after.chain === before.chain &&
    after.openAmount === before.openAmount &&
    after.counters === before.counters);

const isAmount = (wei: bigint) => wei >= 0n && wei <= MAX_AMOUNT_WEI;

/** True if the slots may be applied one after the other and lead to the posted root. */
function isAllowedInOrder(ledger: Ledger, data: BatchData): boolean {
  try {
    for (const record of data.narrow) replaySlot(ledger, record, data);
    const feeWei = data.narrow.reduce((sum, { kind }) => sum + operationFeeWei(kind, data.feePerUnitWei), 0n);
    creditFees(ledger, data.feeAccountId, feeWei);
    return ledger.root === data.newRoot;
  } catch (error) {
    if (!isRollupError(error)) throw error;
    return false;
  }
}

function replayVerdict(ledger: Ledger, data: BatchData): string | null {
  try {
    replayBatch(ledger, data);
    return null;
  } catch (error) {
    if (!isRollupError(error)) throw error;
    return error.code;
  }
}

function withFee(version: TreeVersion, id: number, feeWei: bigint): bigint {
  const tree = LedgerTree.ofVersion(version);
  const leaf = version.leaf(id)!;
  tree.put(id, { ...leaf, balance: leaf.balance + feeWei });
  return tree.root;
}

const LIES: Record<string, (leaf: Leaf) => Partial<Leaf>> = {
  "a wei more": ({ balance }) => ({ balance: balance + 1n }),
  "a wei less": ({ balance }) => ({ balance: balance - 1n }),
  "a nonce more": ({ nonce }) => ({ nonce: nonce + 1n }),
  "another chain": ({ chain }) => ({ chain: chain + 1n }),
  "more open": ({ openAmount }) => ({ openAmount: openAmount + 1n }),
  "one row, or flag, more": ({ counters }) => ({ counters: counters + 1n }),
};

/** Falsifies half of the claims: a leaf that its operations do not make, or one operation less. */
function falsify(after: TreeVersion, traces: readonly SlotTrace[], random: RandomLedger["random"]) {
  if (traces.length === 0 || random.below(2) === 0) return { lie: null, after, dropped: null };
  const victim = random.pick(traces);
  if (random.below(4) === 0) return { lie: "an operation left out", after, dropped: victim };
  const lie = random.pick(Object.keys(LIES));
  const id = random.pick([victim.record.a, victim.record.b]);
  const tree = LedgerTree.ofVersion(after);
  const leaf = after.leaf(id)!;
  tree.put(id, { ...leaf, ...LIES[lie]!(leaf) });
  return { lie, after: tree.version, dropped: null };
}

function shuffled<T>(items: readonly T[], below: (limit: number) => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(below(left.length), 1)[0]!);
}

/** Judges `count` random batches. @throws Error naming the seed if replay and the sums differ */
export function holdReplayEqual(count: number, onBatch: (seed: number) => void = () => {}) {
  const seen = { accepted: 0, refused: 0, outOfOrder: 0, lies: 0 };
  for (let seed = 1; seed <= count; seed++) {
    const { replay, isBalanced, isInOrder, lie } = judgeAtOnce(seed);
    const isAccepted = replay === null;
    if (isAccepted !== isBalanced || (isInOrder && !isAccepted) || (lie !== null && isAccepted))
      throw new Error(
        `seed ${seed}: replay says ${replay ?? "right"}, the sums ${isBalanced ? "right" : "wrong"}, lie: ${lie}`,
      );
    seen[isAccepted ? "accepted" : "refused"] += 1;
    if (isAccepted && !isInOrder) seen.outOfOrder += 1;
    if (lie !== null) seen.lies += 1;
    onBatch(seed);
  }
  return seen;
}

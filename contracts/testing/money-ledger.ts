/**
 * The ledger behind the walk of Exits.money.all.test.ts: few leaves of the walk's users, the real rules for queue entries,
 * and what must hold of each entry's effect, stated without those rules.
 */

import { executeQueueEntry } from "@openledger/circuits/batch/queue-slot";
import type { SlotTrace } from "@openledger/circuits/batch/slot-trace";
import { type ExitData, leafExitKey, payeeDue } from "@openledger/circuits/exit/exit-statement";
import {
  accountLeaf,
  type DatanetBody,
  EMPTY_DATANET_BODY,
  hashDatanetBody,
  hashModelBody,
  type LeafState,
  type ModelBody,
  packBinding,
  packCounters,
} from "@openledger/circuits/ledger/leaf";
import { genesisLedger, type Ledger } from "@openledger/circuits/ledger/ledger";
import type { QueueOperation } from "@openledger/circuits/ledger/operation";
import { cutPayees, presentPayees } from "@openledger/circuits/ledger/payee-shards";
import {
  accruedRoot,
  claimedRoot,
  ownersCommitment,
  PAYEE_ROLE,
  type Payee,
  packSplit,
  payeeRoot,
} from "@openledger/circuits/ledger/rewards";
import { KIND, kindRule, LEAF_KIND } from "@openledger/circuits/protocol";
import { expect } from "vitest";
import { paidOutWei } from "./invariant-oracle.ts";
import { OPEN, type Role } from "./rollup-fixture.ts";

/** Depth of the tree: 64 leaves, of which two are free, so that some deposits find none. */
const DEPTH = 2;
export const FREE_IDS = [62, 63] as const;
/** Models: two with slots, and one that waits for its activation. */
export const MODELS = { old: 6, young: 7, waiting: 8 } as const;
/** Datanet of the models, which is bob's, with the version that they are trained on. */
export const DATANET = 9;

/** Payees in two shards: at the places 0, 1 and 512. */
export const PAYEES: readonly Payee[] = cutPayees(
  [
    { contributorId: 2, validatorId: 3, rowCount: 100 },
    { contributorId: 3, validatorId: 3, rowCount: 50 },
    { contributorId: MODELS.old, validatorId: 4, rowCount: 150 },
  ],
  { rows: 150, payees: 2 },
);
const ROW_COUNT = 300n;
/** The version that the models have learned. */
const versionOf = (): DatanetBody => ({
  ...EMPTY_DATANET_BODY,
  version: 1n,
  rowCount: ROW_COUNT,
  rowsRoot: 11n,
  ownersCommitment: ownersCommitment(PAYEES.map((payee) => payee.rowCount)),
  payeeRoot: payeeRoot(PAYEES),
});

/** A ledger that owes `totalWei`. The young model's epoch begins at `now`, L1's time in seconds. */
export function moneyLedger(owner: (role: Role) => bigint, totalWei: bigint, now: bigint): Ledger {
  const ledger = genesisLedger(
    { treasuryOwner: owner("treasury"), operatorOwner: owner("operator"), operatorKeyX: 456n },
    DEPTH,
  );
  const put = (record: LeafState) => ledger.put(ledger.nextId++, record);
  const roles = ["alice", "bob", "stranger", "alice"] as const;
  for (const role of roles) put({ leaf: accountLeaf({ l1Owner: owner(role), balance: 60n * OPEN + 11n }) });
  put(modelRecord(owner("bob"), 0n));
  put(modelRecord(owner("stranger"), now));
  put(modelRecord(owner("alice"), null));
  const datanet = versionOf();
  const fields = { kind: LEAF_KIND.datanet, counters: ROW_COUNT, body: hashDatanetBody(datanet) };
  put({ leaf: { ...accountLeaf({ l1Owner: owner("bob"), balance: 7n * OPEN }), ...fields }, datanet });
  ledger.nextId = FREE_IDS[0];
  const first = ledger.requireLeaf(2);
  const balance = first.leaf.balance + totalWei - ledger.totalWei();
  ledger.put(2, { leaf: { ...first.leaf, balance } });
  return ledger;
}

/** @param epochStart null for a model without an activation */
function modelRecord(l1Owner: bigint, epochStart: bigint | null): LeafState {
  const isReady = epochStart !== null;
  const accrued = [40n * OPEN + 1n, 20n * OPEN, 60n * OPEN + 5n];
  const accruedWei = isReady ? PAYEES.map(({ rowCount }) => (rowCount > 0 ? accrued.shift()! : 0n)) : [];
  // The first payee's contributor has claimed before.
  const claimedWei = isReady ? PAYEES.flatMap((_, m) => [m === 0 ? 9n * OPEN : 0n, 0n]) : [];
  const version = versionOf();
  const model: ModelBody = {
    statics: {
      featuresCommitment: 21n,
      ownersCommitment: version.ownersCommitment,
      payeeRoot: version.payeeRoot,
      binding: packBinding({
        datanetId: BigInt(DATANET),
        version: 1n,
        rowCount: ROW_COUNT,
        predecessorId: 0n,
        drawBits: 2n,
        featureCount: 256n,
      }),
      split: packSplit({ ownerParts: 20_000n, validatorParts: 6_554n }),
    },
    closed: 0n,
    accruedRoot: accruedRoot(PAYEES, accruedWei),
    claimedRoot: claimedRoot(claimedWei),
    epochStart: epochStart ?? 0n,
  };
  const counters = { isReady, isApproved: isReady, cap: isReady ? 16n : 0n, epoch: isReady ? 1n : 0n };
  return {
    leaf: {
      ...accountLeaf({ l1Owner, balance: 20n * OPEN }),
      kind: LEAF_KIND.model,
      chain: isReady ? 88n : 0n,
      openAmount: isReady ? 30n * OPEN + 3n : 0n,
      counters: packCounters({ ...counters, paymentCount: isReady ? 4n : 0n, priceWei: OPEN }),
      body: hashModelBody(model),
    },
    model,
    ...(isReady ? { rewards: { payees: PAYEES, accruedWei, claimedWei, closed: null } } : {}),
  };
}

/** Executes an entry where the ledger's rules allow it. */
export function executeEntry(
  ledger: Ledger,
  entry: QueueOperation,
  context: { readonly batchNumber: bigint; readonly timestamp: bigint },
): SlotTrace {
  const before = new Map(ledger.leaves);
  const beforeWei = ledger.totalWei();
  const trace = executeQueueEntry(ledger, entry, context);
  const { isValid, words } = trace.record;
  const paidInWei = isValid && entry.kind <= KIND.depositTo ? entry.amountWei : 0n;
  expect(ledger.totalWei(), "I1: no wei is made").toBe(beforeWei + paidInWei - paidOutWei(trace.record));
  if (entry.kind === KIND.forcedWithdraw && !isValid) expect(words[4], "nothing is paid").toBe(0n);
  if (isValid && kindRule(entry.kind)!.usesA)
    expect(before.get(entry.a)!.leaf.l1Owner, `leaf ${entry.a}'s owner sent the entry`).toBe(entry.sender);
  for (const [id, { leaf }] of ledger.leaves) {
    const old = before.get(id);
    if (old === undefined || old.leaf === leaf) continue;
    expect(isValid, "what is not executed changes nothing").toBe(true);
    const isOwners = leaf.l1Owner !== old.leaf.l1Owner || leaf.keyX !== old.leaf.keyX;
    // Anyone who hands over, changes a key or pays has sent the entry, and earnings go to anyone who asks for them.
    if (leaf.balance < old.leaf.balance || isOwners)
      expect(old.leaf.l1Owner, `leaf ${id}'s owner sent the entry`).toBe(entry.sender);
    if (leaf.balance > old.leaf.balance && entry.kind === KIND.forcedClaimRewards)
      expect(leaf.l1Owner, `leaf ${id} claims for its owner`).toBe(entry.sender);
    if (leaf.balance > old.leaf.balance && entry.kind !== KIND.forcedClaimRewards) {
      expect([KIND.depositTo, KIND.forcedTransfer], "what gives to a leaf").toContain(entry.kind);
      expect([id, old.leaf.l1Owner], "the recipient as it was named").toEqual([entry.b, entry.word1]);
    }
  }
  return trace;
}

/** Exits of each leaf and of each role of a slot once the ledger is frozen. */
export function duesOf(ledger: Ledger): Omit<ExitData, "root">[] {
  return [...ledger.leaves].flatMap(([id, { leaf, rewards }]) => [
    { key: leafExitKey(id), recipient: leaf.l1Owner, amountWei: leaf.balance },
    ...presentPayees(rewards?.payees ?? []).flatMap(([payeeIndex]) =>
      [PAYEE_ROLE.contributor, PAYEE_ROLE.validator].map((role) => payeeDue(ledger, id, payeeIndex, role)),
    ),
  ]);
}

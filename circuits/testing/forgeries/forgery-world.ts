/**
 * Test support: the world that forgeries are made in. One leaf for each part that an operation may play, and one
 * lawful operation of each kind between them.
 */

import { packClaim } from "../../batch/epoch-operations.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { encodeAmount } from "../../ledger/amount-float.ts";
import {
  accountLeaf,
  type DatanetBody,
  EMPTY_DATANET_BODY,
  hashDatanetBody,
  hashModelBody,
  hashStatics,
  type Leaf,
  type LeafState,
  type ModelBody,
  packBinding,
  packCounters,
} from "../../ledger/leaf.ts";
import { genesisLedger, type Ledger } from "../../ledger/ledger.ts";
import {
  accruedRoot,
  activationHash,
  claimedRoot,
  closedHash,
  type ModelRewards,
  ownersCommitment,
  PAYEE_ROLE,
  type Payee,
  packSplit,
  payeeRoot,
  roleShareWei,
} from "../../ledger/rewards.ts";
import {
  APPROVAL_DELAY_SECONDS,
  EPOCH_SECONDS,
  KIND,
  KIND_RULES,
  kindRule,
  LEAF_KIND,
} from "../../protocol.ts";
import type { TableShape } from "../../table/table-shape.ts";
import { keyXOf, OPEN, START_TIMESTAMP, TEST_DOMAIN } from "../random-ledger.ts";
import { type SettlementPlan, settleOperation } from "../settlement/random-settlement.ts";
import type { LawlessOperation } from "./lawless-slot.ts";

await initPoseidon();

/** Position of a slot. The narrow kinds fit both. */
export type Section = "table" | "wide";
export type Build = (world: World) => LawlessOperation;

export const DEPTH = 2;
/** A slot of each section, and rows for its two leaves. */
export const SHAPE: TableShape = {
  transfers: 1,
  members: 1,
  wide: 1,
  rows: 2,
  units: 1,
  low: 1,
  top: 1,
};
export const CAPACITY = 8 ** DEPTH;
const DELAY = BigInt(APPROVAL_DELAY_SECONDS);
export const FEE = 10n ** 12n;
export const ID_FEE = OPEN;
export const OPENING = {
  domain: TEST_DOMAIN,
  batchNumber: 1n,
  timestamp: START_TIMESTAMP,
  feePerUnitWei: FEE,
  idFeeWei: ID_FEE,
  feeAccountId: 1,
};

export const [PAYER, RECIPIENT, DATANET, MODEL, WAITING, OTHER_DATANET, NEW_DATANET, CLOSED, FREE] = [
  2, 3, 4, 5, 6, 7, 8, 9, 10,
] as const;
export const secretOf = (id: number) => 2000n + BigInt(id);
export const ownerOf = (id: number) => 0xa000n + BigInt(id);

/** The payees of every model here; CLOSED has one of itself. */
export const PAYEES: readonly Payee[] = [
  { contributorId: PAYER, validatorId: RECIPIENT, rowCount: 100 },
  { contributorId: CLOSED, validatorId: CLOSED, rowCount: 200 },
];
export const VALIDATOR_PARTS = 6_554n;

export const PUBLISHED: DatanetBody = {
  version: 1n,
  rowCount: 300n,
  publishedAt: START_TIMESTAMP - DELAY,
  policy: 4n,
  rowsRoot: 11n,
  ownersCommitment: ownersCommitment(PAYEES.map((payee) => payee.rowCount)),
  payeeRoot: payeeRoot(PAYEES),
};
export const BINDING = {
  datanetId: BigInt(DATANET),
  version: 1n,
  rowCount: 300n,
  predecessorId: 9n,
  drawBits: 2n,
  featureCount: 256n,
};
export const STATICS = {
  featuresCommitment: 21n,
  ownersCommitment: PUBLISHED.ownersCommitment,
  payeeRoot: PUBLISHED.payeeRoot,
  binding: packBinding(BINDING),
  split: packSplit({ ownerParts: 20_000n, validatorParts: VALIDATOR_PARTS }),
};
/** Amount in wei that PAYER may claim from CLOSED's first payee. */
export const CLAIM_REWARDS_GAIN = 1000n;
const ACCRUED = [10n ** 6n + 1n, 5n * OPEN];
const CLAIMED = [
  roleShareWei(ACCRUED[0]!, PAYEE_ROLE.contributor, VALIDATOR_PARTS) - CLAIM_REWARDS_GAIN,
  2n,
  0n,
  3n,
];
export const CLOSED_EPOCH = { chain: 99n, epoch: 1n, closingBatch: 5n, amountWei: 7n * OPEN + 12_345n };
const NOTHING_EARNED: ModelRewards = {
  payees: PAYEES,
  accruedWei: [0n, 0n],
  claimedWei: [],
  closed: null,
};
export const COUNTERS_OF_MODEL = {
  isReady: true,
  isApproved: true,
  cap: 16n,
  paymentCount: 3n,
  epoch: 1n,
  // A payment in the table is at most 2^64 wei above it.
  priceWei: 20n * OPEN,
};

const UNREADY = { isReady: false, isApproved: false, cap: 0n, paymentCount: 0n, epoch: 0n };

/** A fresh ledger with one leaf for each part that an operation may play. */
export class World {
  readonly ledger: Ledger;

  constructor() {
    this.ledger = genesisLedger(
      { treasuryOwner: 0x7ea5n, operatorOwner: 0x09e7n, operatorKeyX: keyXOf(1n) },
      DEPTH,
    );
    const leaf = (id: number, kind: number): Leaf => ({
      ...accountLeaf({ l1Owner: ownerOf(id), keyX: keyXOf(secretOf(id)), balance: 1000n * OPEN }),
      kind,
      nonce: 5n,
    });
    for (const id of [PAYER, RECIPIENT]) this.ledger.put(id, { leaf: leaf(id, LEAF_KIND.account) });
    for (const [id, datanet] of [
      [DATANET, PUBLISHED],
      [OTHER_DATANET, PUBLISHED],
      [NEW_DATANET, EMPTY_DATANET_BODY],
    ] as const) {
      this.ledger.put(id, { leaf: { ...leaf(id, LEAF_KIND.datanet), counters: 300n }, datanet });
      this.setDatanet(id, {});
    }
    for (const id of [MODEL, WAITING, CLOSED]) {
      const isReady = id !== WAITING;
      const isClosed = id === CLOSED;
      const rewards = isClosed
        ? { payees: PAYEES, accruedWei: ACCRUED, claimedWei: CLAIMED, closed: CLOSED_EPOCH }
        : NOTHING_EARNED;
      const model = {
        statics: STATICS,
        closed: isClosed ? closedHash(hashStatics(STATICS), CLOSED_EPOCH) : 0n,
        accruedRoot: accruedRoot(PAYEES, rewards.accruedWei),
        claimedRoot: claimedRoot(rewards.claimedWei),
        // From this batch on, others may close.
        epochStart: isReady ? START_TIMESTAMP - BigInt(EPOCH_SECONDS) : 0n,
      };
      const modelLeaf = { ...leaf(id, LEAF_KIND.model), openAmount: 7n, chain: isReady ? 88n : 0n };
      this.ledger.put(id, { leaf: modelLeaf, model, ...(isReady ? { rewards } : {}) });
      this.setModel(id, {});
      this.setCounters(id, isReady ? {} : UNREADY);
    }
    this.ledger.nextId = FREE;
  }

  leaf(id: number): Leaf {
    return this.ledger.opened(id).leaf;
  }

  set(id: number, changes: Partial<Leaf>): void {
    const record = this.ledger.opened(id);
    this.ledger.put(id, { ...record, leaf: { ...record.leaf, ...changes } });
  }

  setDatanet(id: number, changes: Partial<DatanetBody>): void {
    const { leaf, datanet } = this.ledger.requireLeaf(id) as Required<LeafState>;
    const body = { ...datanet, ...changes };
    this.ledger.put(id, { leaf: { ...leaf, body: hashDatanetBody(body) }, datanet: body });
  }

  setModel(id: number, statics: Partial<ModelBody["statics"]>): void {
    this.setBody(id, { statics: { ...this.ledger.requireLeaf(id).model!.statics, ...statics } });
  }

  setBody(id: number, changes: Partial<ModelBody>): void {
    const record = this.ledger.requireLeaf(id);
    const model = { ...record.model!, ...changes };
    this.ledger.put(id, { ...record, leaf: { ...record.leaf, body: hashModelBody(model) }, model });
  }

  setCounters(id: number, changes: Partial<typeof COUNTERS_OF_MODEL>): void {
    this.set(id, { counters: packCounters({ ...COUNTERS_OF_MODEL, ...changes }) });
  }
}

const NO_AMOUNTS = { ownerWei: 0n, treasuryWei: 0n, burnedWei: 0n, earnedWei: [], voidCount: 0 };

/** The lawful Settle of CLOSED's epoch by a plan. */
export function settleWith(plan: SettlementPlan): LawlessOperation & { readonly words: readonly bigint[] } {
  const { ledger } = new World();
  const operation = settleOperation(ledger, CLOSED, secretOf(CLOSED), plan, TEST_DOMAIN);
  const { ownerWei, treasuryWei, burnedWei, earnedWei, voidCount, settlementHash } = operation;
  return {
    kind: KIND.settle,
    b: CLOSED,
    words: [settlementHash],
    settlement: { ownerWei, treasuryWei, burnedWei, earnedWei, voidCount },
  };
}

export const AMOUNT = 25n * OPEN;
export const CODE = encodeAmount(AMOUNT);
export const MODEL_WORDS = [
  0xc0den,
  31n,
  STATICS.featuresCommitment,
  STATICS.ownersCommitment,
  STATICS.payeeRoot,
  STATICS.binding,
  OPEN / 100n + (STATICS.split << 96n),
];
export const SENDER = ownerOf(PAYER);

/** Lawful operations, one of each kind. */
export const HONEST: Record<number, LawlessOperation> = {
  [KIND.transfer]: { kind: KIND.transfer, a: PAYER, b: RECIPIENT, amountCode: CODE },
  [KIND.commitData]: { kind: KIND.commitData, a: PAYER, b: DATANET, amountCode: 40n, words: [123n] },
  [KIND.payInference]: { kind: KIND.payInference, a: PAYER, b: MODEL, amountCode: CODE, words: [456n] },
  [KIND.createAccount]: { kind: KIND.createAccount, a: PAYER, amountCode: CODE, words: [0xbeefn, 31n] },
  [KIND.createDatanet]: { kind: KIND.createDatanet, a: PAYER, amountCode: CODE, words: [0xbeefn, 31n] },
  [KIND.createModel]: { kind: KIND.createModel, a: PAYER, amountCode: CODE, words: MODEL_WORDS },
  [KIND.withdraw]: { kind: KIND.withdraw, a: PAYER, words: [0xd00dn, AMOUNT] },
  [KIND.publishVersion]: { kind: KIND.publishVersion, a: DATANET, words: [1n, 2n, 3n, 300n, 5n] },
  [KIND.approveModel]: { kind: KIND.approveModel, a: DATANET, b: WAITING, words: [0n] },
  [KIND.revokeModel]: { kind: KIND.revokeModel, a: DATANET, b: MODEL },
  [KIND.setKey]: { kind: KIND.setKey, a: PAYER, words: [99n] },
  [KIND.closeEpoch]: { kind: KIND.closeEpoch, a: PAYER, b: MODEL },
  [KIND.settle]: settleWith({ drawBits: 2n, voidCount: 0, earnedParts: [300, 500] }),
  [KIND.claimRewards]: {
    kind: KIND.claimRewards,
    a: PAYER,
    b: CLOSED,
    words: [packClaim(0, PAYEE_ROLE.contributor)],
  },
  [KIND.activation]: {
    kind: KIND.activation,
    b: WAITING,
    words: [
      activationHash({
        modelId: WAITING,
        statics: hashStatics(STATICS),
        cap: 16,
        payeeRoot: STATICS.payeeRoot,
      }),
    ],
    settlement: { ...NO_AMOUNTS, cap: 16, payees: PAYEES },
  },
  [KIND.depositNew]: { kind: KIND.depositNew, words: [AMOUNT, 0xe0n, 31n, 0xf0n] },
  [KIND.depositTo]: { kind: KIND.depositTo, b: RECIPIENT, words: [AMOUNT, ownerOf(RECIPIENT), 0n, 0xf0n] },
  [KIND.forcedWithdraw]: { kind: KIND.forcedWithdraw, a: PAYER, words: [AMOUNT, 0xf00dn, 0n, SENDER] },
  [KIND.forcedSetKey]: { kind: KIND.forcedSetKey, a: PAYER, words: [0n, 31n, 0n, SENDER] },
  [KIND.forcedSetOwner]: { kind: KIND.forcedSetOwner, a: PAYER, words: [0n, 0xabcn, 0n, SENDER] },
  [KIND.forcedClaimRewards]: {
    kind: KIND.forcedClaimRewards,
    a: PAYER,
    b: CLOSED,
    words: [0n, packClaim(0, PAYEE_ROLE.contributor), 0n, SENDER],
  },
  [KIND.forcedTransfer]: {
    kind: KIND.forcedTransfer,
    a: PAYER,
    b: RECIPIENT,
    words: [AMOUNT, ownerOf(RECIPIENT), 0n, SENDER],
  },
  [KIND.forcedCloseEpoch]: { kind: KIND.forcedCloseEpoch, b: MODEL, words: [0n, START_TIMESTAMP, 0n, 0xf0n] },
  [KIND.forcedPayInference]: {
    kind: KIND.forcedPayInference,
    a: PAYER,
    b: MODEL,
    words: [AMOUNT, ownerOf(MODEL), 456n, SENDER],
  },
  [KIND.forcedRevokeModel]: {
    kind: KIND.forcedRevokeModel,
    a: DATANET,
    b: MODEL,
    words: [0n, 0n, 0n, ownerOf(DATANET)],
  },
  [KIND.forcedApproveModel]: {
    kind: KIND.forcedApproveModel,
    a: DATANET,
    b: WAITING,
    words: [
      (STATICS.binding >> 88n) | (START_TIMESTAMP << 39n),
      ownerOf(WAITING),
      hashStatics(STATICS),
      ownerOf(DATANET),
    ],
  },
  [KIND.forcedCommitData]: {
    kind: KIND.forcedCommitData,
    a: PAYER,
    b: DATANET,
    words: [40n, 0n, 123n, SENDER],
  },
  [KIND.forcedPublishVersion]: {
    kind: KIND.forcedPublishVersion,
    a: DATANET,
    words: [300n, 1n, 2n, ownerOf(DATANET), 3n, 5n],
  },
};

export const nameOf = (kind: number) => kindRule(kind)!.name;
export const SIGNED_KINDS = KIND_RULES.filter((rule) => rule.isSigned).map((rule) => rule.kind);
export const QUEUE_KINDS = KIND_RULES.filter((rule) => rule.isQueue).map((rule) => rule.kind);
export const CREATE_KINDS = KIND_RULES.filter((rule) => rule.isCreate).map((rule) => rule.kind);
export const sectionsOf = (kind: number): Section[] =>
  kindRule(kind)?.isNarrow === true ? ["table", "wide"] : ["wide"];

/** The lawful operation of a kind with some fields replaced, signed by A's own key. */
export function honest(kind: number, changes: Partial<LawlessOperation> = {}): LawlessOperation {
  const operation = { ...HONEST[kind]!, ...changes };
  const words =
    kind === KIND.approveModel && changes.words === undefined ? [hashStatics(STATICS)] : operation.words;
  const signer = kindRule(kind)!.isSettlement ? operation.b : operation.a;
  return { secret: secretOf(signer ?? 0), ...operation, ...(words === undefined ? {} : { words }) };
}

// The tables below hash while they are collected.

/**
 * Test support: slots by somebody who keeps no rule. `lawlessSlot` computes what an operation would do if nothing
 * refused it, in field arithmetic and with consistent paths, so that a test can break one rule and only that one.
 * On lawful operations it must agree with slot.ts, which makes it a second model of the effects.
 */

import type { ClosedBatch } from "../../batch/batch.ts";
import type { SettleOperation } from "../../batch/settlement-operation.ts";
import { nullSlot } from "../../batch/slot.ts";
import type { Operation, SlotContext, SlotTrace } from "../../batch/slot-trace.ts";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { DUMMY } from "../../field/curve/dummy-signature.ts";
import { type OperationMessage, recoverKeyY, type Signature } from "../../field/curve/eddsa.ts";
import { hashTagged } from "../../field/poseidon.ts";
import { decodeAmount } from "../../ledger/amount-float.ts";
import {
  EMPTY_DATANET_BODY,
  EMPTY_LEAF,
  hashDatanetBody,
  hashModelBody,
  hashStatics,
  type Leaf,
  type LeafState,
  type ModelBody,
  type ModelCounters,
  unpackCounters,
} from "../../ledger/leaf.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { SignedOperation } from "../../ledger/operation.ts";
import { leafReference, padWords } from "../../ledger/operation.ts";
import {
  accruedPath,
  accruedRoot,
  claimedPath,
  claimedRoot,
  closedHash,
  type Payee,
} from "../../ledger/rewards.ts";
import {
  APPROVAL_DELAY_SECONDS,
  BINDING_BITS,
  COUNTERS,
  EPOCH_SECONDS,
  FIELD_ORDER,
  KIND,
  kindRule,
  LEAF_KIND,
  TAG,
  WITHDRAW_ALL_WEI,
} from "../../protocol.ts";
import { closedInputs } from "../../table/table-builder.ts";
import { postedShape, type TableShape } from "../../table/table-shape.ts";
import { signMessage } from "../known-signers.ts";
import { TEST_DOMAIN } from "../random-ledger.ts";
import { lawlessLayout, sectionsOfTraces, showUnitCounters } from "./lawless-table.ts";

const modulo = (value: bigint) => ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;

/** Operation that the signer saw. If it differs from the executed one, the signature is misused. */
type Signed = Partial<SignedOperation> & { readonly domain?: bigint; readonly bRef?: bigint };

export interface LawlessOperation {
  readonly kind: number;
  readonly a?: number;
  readonly b?: number;
  readonly amountCode?: bigint;
  readonly words?: readonly bigint[];
  /** Signing key of signed kinds, and the signed operation if it is not the executed one. */
  readonly secret?: bigint;
  readonly signed?: Signed;
  readonly maxFeePerUnitWei?: bigint;
  /** Fee units where they are not the kind's. */
  readonly weight?: bigint;
  /** Claims, for queue kinds, that the entry was (not) executed, whatever the predicates are. */
  readonly isValid?: boolean;
  /** Preimage of a settlement's word, and an Activation's cap and payees. */
  readonly settlement?: Pick<
    SettleOperation,
    "ownerWei" | "treasuryWei" | "burnedWei" | "earnedWei" | "voidCount"
  > & { readonly cap?: number; readonly payees?: readonly Payee[] };
  /** Counters that the prover shows for a model, if they differ from B's; the effect follows them. */
  readonly shownCounters?: Partial<ModelCounters>;
  /**
   * A's place among a model's datanets, as the prover claims. Default: its own position; the first if A is none
   * of them.
   */
  readonly place?: number;
  /** Last changes to the effect. */
  readonly effectA?: (leaf: Leaf) => Leaf;
  readonly effectB?: (leaf: Leaf) => Leaf;
}

const isQueue = (kind: number) => kindRule(kind)?.isQueue === true;
const isSigned = (kind: number) => kindRule(kind)?.isSigned === true;
const isSettlement = (kind: number) => kindRule(kind)?.isSettlement === true;
const isCreate = (kind: number) => kindRule(kind)?.isCreate === true;

/** Operation in the model's form, signed or queued. */
export function lawfulForm(ledger: Ledger, operation: LawlessOperation): Operation {
  const { kind, a = 0, b = 0, amountCode = 0n, words = [] } = operation;
  const bRef = kindRule(kind)?.usesB === true && !isCreate(kind) ? leafReference(ledger.opened(b).leaf) : 0n;
  const seen = { domain: TEST_DOMAIN, bRef, ...operation.signed };
  if (isSettlement(kind)) {
    const { cap = 0, payees = [], ...amounts } = operation.settlement!;
    const common = { modelId: b, settlementHash: words[0]! };
    const signed = { kind, a, b, amountCode, words, nonce: 0n, maxFeePerUnitWei: 0n, ...operation.signed };
    const isByModel = kind === KIND.activation || amounts.voidCount > 0;
    const isSigned = isByModel && operation.secret !== undefined;
    const signature = isSigned ? signMessage(operation.secret, lawlessMessage(signed, seen)) : null;
    if (kind === KIND.activation) return { ...common, kind: KIND.activation, cap, payees, signature };
    return { ...common, ...amounts, kind: KIND.settle, signature };
  }
  if (isQueue(kind)) {
    const [amountWei = 0n, word1 = 0n, word2 = 0n, sender = 0n, word3 = 0n, word4 = 0n] = words;
    return { kind, queueIndex: 0, a, b, amountWei, word1, word2, word3, word4, sender };
  }
  // The signer of a Create does not know the id, so that the record's B is not signed.
  const signedB = isCreate(kind) ? 0 : b;
  const fields = {
    kind,
    a,
    b: signedB,
    amountCode,
    words,
    nonce: ledger.opened(a).leaf.nonce,
    maxFeePerUnitWei: operation.maxFeePerUnitWei ?? 10n ** 15n,
    ...operation.signed,
  };
  const signature = signMessage(operation.secret ?? 0n, lawlessMessage(fields, seen));
  return { ...fields, kind, a, b: signedB, amountCode, words, signature };
}

/** Follows `operationMessage` (operation.ts) for fields of any width. */
function lawlessMessage(
  operation: Omit<SignedOperation, "signature">,
  { domain, bRef }: { domain: bigint; bRef: bigint },
): OperationMessage {
  const core =
    BigInt(operation.kind) +
    (BigInt(operation.a) << 5n) +
    (BigInt(operation.b) << 29n) +
    (operation.amountCode << 53n) +
    (operation.nonce << 93n) +
    (operation.maxFeePerUnitWei << 133n);
  const isPayloadSigned = kindRule(operation.kind)?.isNarrow === true || isSettlement(operation.kind);
  const w = isPayloadSigned ? (operation.words[0] ?? 0n) : hashTagged(TAG.words, padWords(operation.words));
  return [domain, [modulo(core), bRef, w]];
}

/** Executes the operation without asking whether it may be. */
function lawlessSlot(ledger: Ledger, operation: LawlessOperation, context: SlotContext): SlotTrace {
  const { kind, a = 0, amountCode = 0n } = operation;
  if (kind === KIND.null) return nullSlot(ledger);
  const form = lawfulForm(ledger, operation);
  const words = [...(operation.words ?? [])];
  const word = (i: number) => words[i] ?? 0n;
  const opens = isCreate(kind) || (kind === KIND.depositNew && operation.isValid !== false);
  const b = opens && operation.b === undefined ? ledger.nextId : (operation.b ?? 0);

  const before = ledger.opened(a);
  const childrenA = ledger.tree.path(a);
  const amountWei = kindRule(kind)?.movesAmount === true ? decodeAmount(amountCode) : 0n;
  const feeWei = (operation.weight ?? BigInt(kindRule(kind)?.weight ?? 0)) * context.feePerUnitWei;
  const owned = (record: LeafState, owner: bigint) => record.leaf.kind !== 0 && record.leaf.l1Owner === owner;
  const requestedWei = word(0) === WITHDRAW_ALL_WEI ? before.leaf.balance : word(0);
  const target = ledger.opened(b);
  const { isReady: isActive, ...sells } = unpackCounters(target.leaf.counters);
  const isModel = target.leaf.kind === LEAF_KIND.model;
  const isReady = isModel && isActive;
  const binding = target.model?.statics.binding ?? 0n;
  const namedAt = idsOf(binding).flatMap((id, at) => (id === BigInt(a) ? [at] : []));
  const place = operation.place ?? namedAt[0] ?? 0;
  const { datanet } = before;
  const forcedClaimRewards =
    kind === KIND.forcedClaimRewards && isReady ? lawlessClaimRewards(target, word(1), null) : null;
  const predicates: Record<number, () => boolean> = {
    [KIND.depositNew]: () => ledger.nextId < ledger.tree.capacity,
    [KIND.depositTo]: () => owned(ledger.opened(b), word(1)),
    [KIND.forcedWithdraw]: () => owned(before, word(3)) && requestedWei <= before.leaf.balance,
    [KIND.forcedSetKey]: () => owned(before, word(3)),
    [KIND.forcedSetOwner]: () => owned(before, word(3)),
    [KIND.forcedTransfer]: () =>
      owned(before, word(3)) && requestedWei <= before.leaf.balance && owned(ledger.opened(b), word(1)),
    [KIND.forcedClaimRewards]: () =>
      owned(before, word(3)) && isReady && forcedClaimRewards!.memberId === BigInt(a),
    [KIND.forcedCloseEpoch]: () => isReady && mayCloseEpoch(ledger.opened(b), word(1)),
    [KIND.forcedPayInference]: () =>
      owned(before, word(3)) &&
      requestedWei <= before.leaf.balance &&
      owned(target, word(1)) &&
      isReady &&
      sells.isApproved &&
      sells.paymentCount < sells.cap &&
      requestedWei >= sells.priceWei,
    [KIND.forcedRevokeModel]: () =>
      owned(before, word(3)) &&
      datanet !== undefined &&
      isModel &&
      binding >> BINDING_BITS === 0n &&
      namedAt.length === 1,
    [KIND.forcedApproveModel]: () =>
      owned(before, word(3)) &&
      owned(target, word(1)) &&
      datanet !== undefined &&
      datanet.version > 0n &&
      isModel &&
      hashStatics(target.model!.statics) === word(2) &&
      binding ===
        BigInt(a) +
          datanet.version * 2n ** 24n +
          datanet.rowCount * 2n ** 56n +
          (word(0) % 2n ** 39n) * 2n ** 88n &&
      target.model!.statics.ownersCommitment === datanet.ownersCommitment &&
      target.model!.statics.payeeRoot === datanet.payeeRoot &&
      word(0) / 2n ** 39n >= datanet.publishedAt + BigInt(APPROVAL_DELAY_SECONDS),
    [KIND.forcedCommitData]: () =>
      owned(before, word(3)) &&
      target.leaf.kind === LEAF_KIND.datanet &&
      target.leaf.counters + word(0) < 2n ** 40n,
    [KIND.forcedPublishVersion]: () => owned(before, word(3)) && datanet !== undefined,
  };
  const isValid = operation.isValid ?? predicates[kind]?.() ?? false;

  // A.
  let recordA: LeafState = before;
  const changeA = (changes: Partial<Leaf>) => {
    recordA = { ...recordA, leaf: { ...recordA.leaf, ...changes } };
  };
  if (isSigned(kind)) {
    const debit =
      amountWei + feeWei + (isCreate(kind) ? context.idFeeWei : 0n) + (kind === KIND.withdraw ? word(1) : 0n);
    changeA({ nonce: before.leaf.nonce + 1n, balance: modulo(before.leaf.balance - debit) });
  }
  const claimRewards =
    kind === KIND.claimRewards ? lawlessClaimRewards(target, word(0), a) : forcedClaimRewards;
  const isPaid = kind === KIND.claimRewards || (kind === KIND.forcedClaimRewards && isValid);
  if (claimRewards !== null && isPaid)
    changeA({ balance: modulo(recordA.leaf.balance + claimRewards.gainWei) });
  const { settlement } = operation;
  if (kind === KIND.settle) changeA({ balance: modulo(before.leaf.balance + settlement!.treasuryWei) });
  if (kind === KIND.setKey) changeA({ keyX: word(0) });
  if (kind === KIND.publishVersion || (kind === KIND.forcedPublishVersion && isValid)) {
    // Places of rowsRoot, ownersCommitment, payeeRoot, N and policy.
    const positions = kind === KIND.publishVersion ? [0, 1, 2, 3, 4] : [1, 2, 4, 0, 5];
    const [rowsRoot, ownersCommitment, payeeRoot, rowCount, policy] = positions.map(word) as bigint[];
    const published = {
      version: (datanet?.version ?? 0n) + 1n,
      publishedAt: context.timestamp,
      rowCount: rowCount!,
      policy: policy!,
      rowsRoot: rowsRoot!,
      ownersCommitment: ownersCommitment!,
      payeeRoot: payeeRoot!,
    };
    recordA = { leaf: { ...recordA.leaf, body: hashDatanetBody(published) }, datanet: published };
  }
  const isPaying = [KIND.forcedWithdraw, KIND.forcedTransfer, KIND.forcedPayInference].some(
    (k) => k === kind,
  );
  if (isValid && isPaying) changeA({ balance: modulo(before.leaf.balance - requestedWei) });
  if (isValid && kind === KIND.forcedSetKey) changeA({ keyX: word(1) });
  if (isValid && kind === KIND.forcedSetOwner) changeA({ l1Owner: word(1) });
  if (kind === KIND.forcedWithdraw && words.length === 4) words.push(isValid ? requestedWei : 0n);
  if (operation.effectA !== undefined) changeA(operation.effectA(recordA.leaf));
  if (recordA !== before && recordA.leaf.kind !== 0) ledger.put(a, recordA);

  // B, after A.
  const beforeB = ledger.opened(b);
  const childrenB = ledger.tree.path(b);
  let recordB: LeafState = beforeB;
  const changeB = (changes: Partial<Leaf>) => {
    recordB = { ...recordB, leaf: { ...recordB.leaf, ...changes } };
  };
  const leafB = beforeB.leaf;
  const shown = { ...unpackCounters(leafB.counters), ...operation.shownCounters };
  if (kind === KIND.transfer) changeB({ balance: modulo(leafB.balance + amountWei) });
  const payload = isQueue(kind) ? word(2) : word(0);
  if (kind === KIND.commitData || (kind === KIND.forcedCommitData && isValid)) {
    const rows = isQueue(kind) ? word(0) : amountCode;
    const chain = hashTagged(TAG.commit, [leafB.chain, payload, BigInt(a) + rows * 2n ** 24n]);
    changeB({ counters: leafB.counters + rows, chain });
  }
  if (kind === KIND.payInference || (kind === KIND.forcedPayInference && isValid)) {
    const openAmount = modulo(leafB.openAmount + (isQueue(kind) ? requestedWei : amountWei));
    const chain = hashTagged(TAG.payment, [leafB.chain, payload, BigInt(a) + openAmount * 2n ** 24n]);
    changeB({ openAmount, chain, counters: leafB.counters + (1n << COUNTERS.paymentCount) });
  }
  const isApproval = kind === KIND.approveModel || (kind === KIND.forcedApproveModel && isValid);
  if (isApproval || kind === KIND.revokeModel || (kind === KIND.forcedRevokeModel && isValid)) {
    // Bits go up or down where the shown ones say that they have to.
    const isInput = kind === KIND.approveModel && isOfSeveral(binding) && !isLastApproval(binding, shown);
    const isApproved = isApproval && (!isInput || shown.isApproved);
    const step = BigInt(isApproved) - BigInt(shown.isApproved);
    const input = isInput && !shown.isApproved ? 1n << BigInt(place) : -BigInt(shown.approvals);
    const counters = leafB.counters + (step << COUNTERS.approved) + (input << COUNTERS.approvals);
    changeB({ counters: modulo(counters) });
  }
  const changeBody = (changes: Partial<ModelBody>) => {
    const model = { ...(recordB.model ?? EMPTY_MODEL_BODY), ...changes };
    recordB = { ...recordB, leaf: { ...recordB.leaf, body: hashModelBody(model) }, model };
  };
  const payees = beforeB.rewards?.payees ?? [];
  const newAccruedRoot = isSettlement(kind) ? lawlessAccruedRoot(beforeB, settlement!.earnedWei) : 0n;
  if (kind === KIND.closeEpoch || (kind === KIND.forcedCloseEpoch && isValid)) {
    const { epoch, paymentCount } = shown;
    const { chain, openAmount } = leafB;
    const statics = hashStatics((beforeB.model ?? EMPTY_MODEL_BODY).statics);
    const opening = { chain, epoch, closingBatch: context.batchNumber, amountWei: openAmount };
    const counters = leafB.counters - (paymentCount << COUNTERS.paymentCount) + (1n << COUNTERS.epoch);
    changeB({ chain: 0n, openAmount: 0n, counters });
    changeBody({ closed: closedHash(statics, opening), epochStart: context.timestamp });
  }
  if (kind === KIND.settle) {
    changeB({ balance: modulo(leafB.balance + settlement!.ownerWei) });
    changeBody({ closed: 0n, accruedRoot: newAccruedRoot });
  }
  if (claimRewards !== null && isPaid) changeBody({ claimedRoot: claimRewards.newRoot });
  if (kind === KIND.activation) {
    const cap = BigInt(settlement!.cap ?? 0) << COUNTERS.cap;
    changeB({ counters: modulo(leafB.counters + 1n + cap + (1n << COUNTERS.epoch)) });
    changeBody({ epochStart: context.timestamp });
  }
  if (isCreate(kind)) recordB = newLeaf(kind, words, amountWei);
  if (isValid && kind === KIND.depositNew) recordB = newLeaf(KIND.createAccount, words.slice(1), word(0));
  if (isValid && kind === KIND.forcedTransfer) changeB({ balance: modulo(leafB.balance + requestedWei) });
  if (isValid && kind === KIND.depositTo) changeB({ balance: modulo(leafB.balance + word(0)) });
  if (operation.effectB !== undefined) changeB(operation.effectB(recordB.leaf));
  if (recordB !== beforeB && recordB.leaf.kind !== 0) ledger.put(b, recordB);
  if (opens) ledger.nextId += 1;

  const signed = "signature" in form && form.signature !== null ? form.signature : null;
  const signature: Signature = signed ?? DUMMY.signature;
  const signerKeyX = isSettlement(kind) ? leafB.keyX : before.leaf.keyX;
  return {
    record: { kind, a, b, amountCode, isValid, words },
    oldRoot: 0n,
    newRoot: ledger.root,
    feeWei,
    a: before.leaf,
    b: beforeB.leaf,
    childrenA,
    childrenB,
    maxFeePerUnitWei: "nonce" in form ? (operation.maxFeePerUnitWei ?? form.maxFeePerUnitWei) : 0n,
    keyY: signed === null ? DUMMY.keyY : (recoverKeyY(signerKeyX) ?? DUMMY.keyY),
    signature,
    datanetA: before.datanet ?? EMPTY_DATANET_BODY,
    modelB: beforeB.model ?? EMPTY_MODEL_BODY,
    jointApproval:
      kind === KIND.approveModel && isOfSeveral(binding) && beforeB.rewards !== undefined
        ? { payees: beforeB.rewards.payees, place }
        : null,
    claimRewards:
      claimRewards === null
        ? null
        : {
            ...claimRewards,
            accruedChildren: accruedPath(payees, beforeB.rewards?.accruedWei ?? [], claimRewards.payeeIndex),
            claimedChildren: claimedPath(beforeB.rewards?.claimedWei ?? [], claimRewards.payeeIndex),
          },
    settlement: settlement === undefined ? null : { cap: 0, ...settlement, newAccruedRoot },
  };
}

const EMPTY_MODEL_BODY: ModelBody = {
  statics: { featuresCommitment: 0n, ownersCommitment: 0n, payeeRoot: 0n, binding: 0n, split: 0n },
  closed: 0n,
  accruedRoot: 0n,
  claimedRoot: 0n,
  epochStart: 0n,
};

/** Ids of a model's datanets, 0 for absent ones. */
const idsOf = (binding: bigint): bigint[] =>
  [0n, 127n, 151n, 175n, 199n, 223n].map((position) => (binding >> position) % 2n ** 24n);
const isOfSeveral = (binding: bigint): boolean => binding >> 127n !== 0n;

/** True if one more approval is the last. */
function isLastApproval(binding: bigint, { approvals }: Pick<ModelCounters, "approvals">): boolean {
  const count = [0, 1, 2, 3, 4, 5].filter((bit) => ((approvals >> bit) & 1) === 1).length;
  return count + 1 === idsOf(binding).filter((id) => id !== 0n).length;
}

/** The accrued root after these earnings, of a model that need not be ready. */
function lawlessAccruedRoot({ rewards, model }: LeafState, earnedWei: readonly bigint[]): bigint {
  if (rewards === undefined) return model?.accruedRoot ?? 0n;
  return accruedRoot(
    rewards.payees,
    rewards.payees.map((_, m) => (rewards.accruedWei[m] ?? 0n) + (earnedWei[m] ?? 0n)),
  );
}

/** True if anyone may force a CloseEpoch. */
function mayCloseEpoch({ leaf, model }: LeafState, queuedAt: bigint): boolean {
  const { closed, epochStart } = model!;
  const isOver = queuedAt - epochStart >= BigInt(EPOCH_SECONDS);
  return (
    isOver && closed === 0n && leaf.openAmount > 0n && unpackCounters(leaf.counters).epoch < 2n ** 24n - 1n
  );
}

/** A's claim of a role's share, no matter who A is. Where A is null, the claim is that of the leaf that has the role. */
function lawlessClaimRewards({ rewards, model }: LeafState, word: bigint, a: number | null) {
  const payeeIndex = Number(word % 4096n);
  const isValidator = (word >> 12n) % 2n === 1n;
  const position = 2 * payeeIndex + (isValidator ? 1 : 0);
  const accruedWei = rewards?.accruedWei[payeeIndex] ?? 0n;
  const claimed = Array.from({ length: 2 * 4096 }, (_, i) => rewards?.claimedWei[i] ?? 0n);
  const validatorWei = (accruedWei * ((model?.statics.split ?? 0n) >> 16n)) / 65536n;
  const shareWei = isValidator ? validatorWei : accruedWei - validatorWei;
  const payee = rewards?.payees[payeeIndex];
  const otherId = BigInt((isValidator ? payee?.contributorId : payee?.validatorId) ?? a ?? 0);
  const memberId = BigInt(a ?? (isValidator ? payee?.validatorId : payee?.contributorId) ?? 0);
  const newRoot = claimedRoot(claimed.with(position, shareWei));
  const claimedWei = claimed[position]!;
  return {
    payeeIndex,
    memberId,
    otherId,
    accruedWei,
    claimedWei,
    otherClaimedWei: claimed[position ^ 1]!,
    gainWei: shareWei - claimedWei,
    newRoot,
  };
}

function newLeaf(kind: number, words: readonly bigint[], balance: bigint): LeafState {
  const word = (i: number) => words[i] ?? 0n;
  const base = { ...EMPTY_LEAF, l1Owner: word(0), keyX: word(1), balance };
  if (kind === KIND.createAccount) return { leaf: { ...base, kind: LEAF_KIND.account } };
  if (kind === KIND.createDatanet) {
    return {
      leaf: { ...base, kind: LEAF_KIND.datanet, body: hashDatanetBody(EMPTY_DATANET_BODY) },
      datanet: EMPTY_DATANET_BODY,
    };
  }
  const statics = {
    featuresCommitment: word(2),
    ownersCommitment: word(3),
    payeeRoot: word(4),
    binding: word(5),
    split: word(6) >> 96n,
  };
  const roots = { accruedRoot: word(4), claimedRoot: claimedRoot([]) };
  const model = { statics, closed: 0n, ...roots, epochStart: 0n };
  const counters = modulo((word(6) % 2n ** 96n) << COUNTERS.price);
  return { leaf: { ...base, kind: LEAF_KIND.model, counters, body: hashModelBody(model) }, model };
}

/** Parameters that open a lawless batch. None of them is checked. */
export interface LawlessOpening extends SlotContext {
  readonly feeAccountId: number;
  /** Excess credit of the fee leaf over the fees, in wei. */
  readonly feeExcessWei?: bigint;
}

/** Operations of the table and of the wide slots. */
export interface LawlessSlots {
  readonly table?: readonly LawlessOperation[];
  readonly wide?: readonly LawlessOperation[];
}

/** Circuit inputs of a batch of lawless slots: the table's, then wide ones, each followed by nulls. */
export function lawlessInputs(
  ledger: Ledger,
  shape: TableShape,
  opening: LawlessOpening,
  slots: LawlessSlots,
): Record<string, unknown> & CircuitInputs {
  const { feeAccountId } = opening;
  const oldRoot = ledger.root;
  const oldNextId = ledger.nextId;
  const before = ledger.tree.version;
  const table = (slots.table ?? []).map((operation) => lawlessSlot(ledger, operation, opening));
  const layout = lawlessLayout(shape, {
    ...sectionsOfTraces(table),
    before,
    after: ledger.tree.version,
    feePerUnitWei: opening.feePerUnitWei,
  });
  const used = (slots.wide ?? []).map((operation) => lawlessSlot(ledger, operation, opening));
  const wide = [...used, ...Array.from({ length: shape.wide - used.length }, () => nullSlot(ledger))];
  const totalWei = [...table, ...wide].reduce((sum, slot) => sum + slot.feeWei, 0n);
  const feeRecord = ledger.opened(feeAccountId);
  const fee = { id: feeAccountId, leaf: feeRecord.leaf, children: ledger.tree.path(feeAccountId), totalWei };
  ledger.put(feeAccountId, {
    ...feeRecord,
    leaf: {
      ...feeRecord.leaf,
      balance: modulo(feeRecord.leaf.balance + totalWei + (opening.feeExcessWei ?? 0n)),
    },
  });
  const batch: ClosedBatch = {
    data: {
      ...opening,
      shape: postedShape(shape),
      oldRoot,
      oldNextId,
      firstOpIndex: 0n,
      newRoot: ledger.root,
      newNextId: ledger.nextId,
      signedCount: [...table, ...wide].filter((slot) => isSigned(slot.record.kind)).length,
      narrow: table.map((slot) => slot.record),
      wide: wide.map((slot) => slot.record),
    },
    wide,
    fee,
  };
  const inputs = closedInputs({ batch, layout }, 5n, ledger.tree.depth) as Record<string, unknown> &
    CircuitInputs;
  for (const [i, { shownCounters }] of (slots.table ?? []).entries())
    if (shownCounters !== undefined) showUnitCounters(inputs, table[i]!, shownCounters);
  for (const [i, { shownCounters }] of (slots.wide ?? []).entries())
    if (shownCounters !== undefined) showCounters(inputs, i, shownCounters);
  return inputs;
}

/** Shows other counters in a wide slot's opening (the columns of wideRest in batch-inputs.ts). */
function showCounters(inputs: Record<string, unknown>, slot: number, shown: Partial<ModelCounters>): void {
  const rows = [...(inputs.wideRest as bigint[][])];
  const row = [...rows[slot]!];
  const columns = ["cap", "paymentCount", "epoch", "priceWei"] as const;
  for (const [i, column] of columns.entries()) row[6 + i] = shown[column] ?? row[6 + i]!;
  if (shown.isReady !== undefined) row[4] = BigInt(shown.isReady);
  if (shown.isApproved !== undefined) row[5] = BigInt(shown.isApproved);
  const { approvals } = shown;
  if (approvals !== undefined)
    for (let bit = 0; bit < 6; bit++) row[10 + bit] = BigInt((approvals >> bit) & 1);
  rows[slot] = row;
  inputs.wideRest = rows;
}

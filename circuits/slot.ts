/**
 * One slot: the rules of every operation, as the circuits `narrow-slot.circom` and `wide-slot.circom` prove them.
 * `executeSlot` is the only place where TypeScript applies an operation; the sequencer, the verifier and the
 * witness all come from it.
 */
import { decodeAmount } from "./amount-float.ts";
import type { SlotRecord } from "./batch-data.ts";
import { DUMMY } from "./dummy-signature.ts";
import { recoverKeyY, type Signature, verifySignature } from "./eddsa.ts";
import {
  type ClaimTrace,
  claimSlot,
  openModel,
  type SettlementTrace,
  sealEpoch,
  settleModel,
} from "./epoch-operations.ts";
import {
  type DatanetBody,
  EMPTY_DATANET_BODY,
  EMPTY_LEAF,
  hashDatanetBody,
  hashModelBody,
  hashStatics,
  type Leaf,
  type LeafRecord,
  type ModelBody,
  packCounters,
  unpackBinding,
  unpackCounters,
} from "./leaf.ts";
import type { Ledger } from "./ledger.ts";
import { leafReference, messageHash, type QueueOperation, type SignedOperation } from "./operation.ts";
import { hashTagged } from "./poseidon.ts";
import {
  AMOUNT_BITS,
  APPROVAL_DELAY_SECONDS,
  COUNTERS,
  FEE_PER_UNIT_BITS,
  FIELD_ORDER,
  ID_BITS,
  KIND,
  kindRule,
  LEAF_KIND,
  MAX_AMOUNT_WEI,
  MAX_LEAF_COUNT,
  NONCE_BITS,
  ROW_COUNT_BITS,
  TAG,
  TREASURY_ID,
  WITHDRAW_ALL_WEI,
} from "./protocol.ts";
import { createdModelBody, credit, inRange, refuse, requireKind, withLeaf } from "./record-rules.ts";
import {
  type ReplayedSettlement,
  type SettlementOperation,
  settlementMessage,
  settlementOperationOf,
} from "./settlement-operation.ts";

/** What a batch fixes for all its slots. */
export interface SlotContext {
  readonly domain: bigint;
  readonly batchNumber: bigint;
  readonly timestamp: bigint;
  readonly feePerUnitWei: bigint;
  readonly idFeeWei: bigint;
}

/** What the prover has to know of one executed slot, before it is laid out for a circuit. */
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
  readonly claim: ClaimTrace | null;
  readonly settlement: SettlementTrace | null;
}

/** Whatever a slot may be given. */
export type Operation = SignedOperation | QueueOperation | SettlementOperation;

const isQueueOperation = (operation: Operation): operation is QueueOperation => "queueIndex" in operation;
const isSettlement = (operation: Operation): operation is SettlementOperation => "modelId" in operation;

/** The largest fee a signed operation of this kind can cost at a fee rate. */
export function operationFeeWei(kind: number, feePerUnitWei: bigint): bigint {
  return BigInt(kindRule(kind)?.weight ?? 0) * feePerUnitWei;
}

/**
 * Checks the form of a signed operation, everything that needs no state.
 * @throws OP_UNKNOWN_KIND, OP_MALFORMED
 */
export function checkForm(operation: Omit<SignedOperation, "signature">): void {
  const rule = kindRule(operation.kind);
  if (!rule?.isSigned)
    refuse("OP_UNKNOWN_KIND", `kind ${operation.kind} is not a signed operation`, { kind: operation.kind });
  const malformed = (field: string, why: string) =>
    refuse("OP_MALFORMED", `${field} ${why}`, { field, kind: rule.name });
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < MAX_LEAF_COUNT;
  if (!isId(operation.a)) malformed("a", "is not a 24-bit id");
  if (!isId(operation.b)) malformed("b", "is not a 24-bit id");
  if ((!rule.usesB || rule.isCreate) && operation.b !== 0) malformed("b", "must be 0 for this kind");
  if (!inRange(operation.amountCode, 40)) malformed("amountCode", "is not 40 bits");
  if (!rule.movesAmount && operation.kind !== KIND.commitData && operation.amountCode !== 0n) {
    malformed("amountCode", "must be 0 for this kind");
  }
  if (!inRange(operation.nonce, NONCE_BITS)) malformed("nonce", "is not 40 bits");
  if (!inRange(operation.maxFeePerUnitWei, FEE_PER_UNIT_BITS))
    malformed("maxFeePerUnitWei", "is not 64 bits");
  if (operation.words.length !== rule.wordCount) malformed("words", `must be ${rule.wordCount}`);
  for (const [i, word] of operation.words.entries()) {
    if (word < 0n || word >= FIELD_ORDER) malformed(`words[${i}]`, "is not below the field's order");
  }
  const word = (i: number) => operation.words[i]!;
  if (rule.isCreate && (word(0) === 0n || !inRange(word(0), 160)))
    malformed("words[0]", "is not an L1 address");
  if (operation.kind === KIND.createModel && !inRange(word(6), AMOUNT_BITS + 32))
    malformed("words[6]", "is not a 96-bit price and a 32-bit split");
  // Bit 8 would be a ninth of the slot index.
  if (operation.kind === KIND.claim && (!inRange(word(0), 10) || (word(0) & 0x100n) !== 0n))
    malformed("words[0]", "is not a slot index of 8 bits and a role at bit 9");
  if (operation.kind === KIND.withdraw) {
    if (word(0) === 0n || !inRange(word(0), 160)) malformed("words[0]", "is not an L1 address");
    if (!inRange(word(1), AMOUNT_BITS)) malformed("words[1]", "is not a 96-bit amount");
  }
  if (operation.kind === KIND.publishVersion && !inRange(word(3), 32))
    malformed("words[3]", "is not a 32-bit row count");
}

/**
 * Applies one operation to the ledger and returns its trace. A signed operation that may not be executed throws
 * and changes nothing; a queue entry that cannot be executed has no effect and `record.isValid` false.
 * @throws OP_* (docs/errors.md)
 */
export function executeSlot(ledger: Ledger, operation: Operation, context: SlotContext): SlotTrace {
  if (isQueueOperation(operation)) return executeQueueEntry(ledger, operation, context);
  if (isSettlement(operation)) return executeSettlement(ledger, operation, context, true);
  return executeSigned(ledger, operation, context);
}

/** The trace of a slot that does nothing: leaf 0 is opened twice, unchanged. */
export function nullSlot(ledger: Ledger): SlotTrace {
  return apply(ledger, {
    record: { kind: KIND.null, a: 0, b: 0, amountCode: 0n, isValid: false, words: [] },
    feeWei: 0n,
    newA: null,
    newB: null,
    ...UNSIGNED,
  });
}

/**
 * Applies a posted record without its authorisation, which the batch's proof stands for: what anyone does who
 * rebuilds the state from L1. Queue operations are executed from their entry by `executeSlot`, settlements by
 * `replaySettlement`.
 * @throws OP_* where the record breaks a rule, so that no proof can exist for it.
 */
export function replaySlot(ledger: Ledger, record: SlotRecord, context: SlotContext): void {
  const rule = kindRule(record.kind);
  if (record.kind === KIND.null) return;
  if (!rule?.isSigned)
    refuse("OP_UNKNOWN_KIND", `kind ${record.kind} is not a signed operation`, { kind: record.kind });
  if (rule.isCreate && record.b !== ledger.nextId) {
    refuse("OP_WRONG_NEW_ID", `the next id is ${ledger.nextId}, the record says ${record.b}`, {
      expectedId: ledger.nextId,
      id: record.b,
    });
  }
  const operation = { ...record, b: rule.isCreate ? 0 : record.b };
  checkForm({ ...operation, nonce: 0n, maxFeePerUnitWei: 0n });
  applySigned(ledger, operation, context, null);
}

/**
 * Applies a posted Settle or Genesis with its posted data; its proof and, with voids, the batch's stand for the rest.
 * @throws OP_* where the ledger has no such settlement
 */
export function replaySettlement(
  ledger: Ledger,
  record: SlotRecord,
  posted: ReplayedSettlement,
  context: SlotContext,
): void {
  const operation = settlementOperationOf(record, posted, ledger.requireRecord(record.b));
  executeSettlement(ledger, operation, context, false);
}

function executeSigned(ledger: Ledger, operation: SignedOperation, context: SlotContext): SlotTrace {
  checkForm(operation);
  const rule = kindRule(operation.kind)!;
  const a = ledger.requireRecord(operation.a).leaf;
  if (operation.nonce !== a.nonce) {
    refuse(
      "OP_WRONG_NONCE",
      `leaf ${operation.a} is at nonce ${a.nonce}, the operation says ${operation.nonce}`,
      {
        id: operation.a,
        expectedNonce: a.nonce.toString(),
        nonce: operation.nonce.toString(),
      },
    );
  }
  if (operation.maxFeePerUnitWei < context.feePerUnitWei) {
    refuse(
      "OP_FEE_TOO_LOW",
      `the fee is ${context.feePerUnitWei} wei a unit, the operation allows ${operation.maxFeePerUnitWei}`,
      {
        feePerUnitWei: context.feePerUnitWei.toString(),
        maxFeePerUnitWei: operation.maxFeePerUnitWei.toString(),
      },
    );
  }
  const bRef = rule.usesB && !rule.isCreate ? leafReference(ledger.requireRecord(operation.b).leaf) : 0n;
  const message = messageHash(operation, { domain: context.domain, bRef });
  if (!verifySignature({ keyX: a.keyX, message, signature: operation.signature })) {
    refuse(
      "OP_BAD_SIGNATURE",
      `the signature is not leaf ${operation.a}'s over this operation, this rollup and this B`,
      {
        id: operation.a,
        kind: rule.name,
      },
    );
  }
  return applySigned(ledger, operation, context, operation);
}

/** What a signed operation does, whoever has checked that A signed it. */
function applySigned(
  ledger: Ledger,
  operation: Pick<SignedOperation, "kind" | "a" | "b" | "amountCode" | "words">,
  context: SlotContext,
  authorisation: Pick<SignedOperation, "maxFeePerUnitWei" | "signature"> | null,
): SlotTrace {
  const rule = kindRule(operation.kind)!;
  const { kind, words } = operation;
  const recordA = ledger.requireRecord(operation.a);
  const a = recordA.leaf;
  const usesExistingB = rule.usesB && !rule.isCreate;
  if (usesExistingB) ledger.requireRecord(operation.b);
  if (!inRange(a.nonce + 1n, NONCE_BITS))
    refuse("OP_NONCE_EXHAUSTED", `leaf ${operation.a} has no nonce left`, { id: operation.a });
  if (rule.isCreate && ledger.nextId >= ledger.tree.capacity) refuse("OP_TREE_FULL", "all ids are given", {});

  const amountWei = rule.movesAmount ? decodeAmount(operation.amountCode) : 0n;
  const feeWei = operationFeeWei(kind, context.feePerUnitWei);
  const debitWei =
    amountWei + feeWei + (rule.isCreate ? context.idFeeWei : 0n) + (kind === KIND.withdraw ? words[1]! : 0n);
  // What is claimed may pay the claim's own fee.
  const claimed =
    kind === KIND.claim
      ? claimSlot(
          ledger.requireRecord(operation.b),
          { modelId: operation.b, signerId: operation.a },
          words[0]!,
        )
      : null;
  const balance = a.balance + (claimed?.gainWei ?? 0n);
  if (balance < debitWei) {
    refuse(
      "OP_BALANCE_TOO_LOW",
      `leaf ${operation.a} holds ${balance} wei, the operation needs ${debitWei}`,
      {
        id: operation.a,
        balanceWei: balance.toString(),
        neededWei: debitWei.toString(),
      },
    );
  }
  let newA: LeafRecord = {
    ...recordA,
    leaf: { ...a, nonce: a.nonce + 1n, balance: credit(balance - debitWei, 0n) },
  };
  let newB: LeafRecord | null = null;
  let claim: ClaimTrace | null = null;
  const bId = rule.isCreate ? ledger.nextId : operation.b;
  // B is read after A's update: a leaf may act on itself.
  const oldB = usesExistingB
    ? operation.b === operation.a
      ? newA
      : ledger.requireRecord(operation.b)
    : null;

  switch (kind) {
    case KIND.transfer:
      newB = withLeaf(oldB!, { balance: credit(oldB!.leaf.balance, amountWei) });
      break;
    case KIND.commitData: {
      requireKind(oldB!, LEAF_KIND.datanet, operation.b);
      const b = oldB!.leaf;
      const rowCount = b.counters + operation.amountCode;
      if (!inRange(rowCount, ROW_COUNT_BITS))
        refuse("OP_ROW_COUNT_EXHAUSTED", `datanet ${operation.b} cannot hold more rows`, { id: operation.b });
      newB = withLeaf(oldB!, {
        counters: rowCount,
        chain: chainStep(TAG.commit, b.chain, words[0]!, operation.a, operation.amountCode),
      });
      break;
    }
    case KIND.payInference: {
      requireKind(oldB!, LEAF_KIND.model, operation.b);
      const b = oldB!.leaf;
      const counters = unpackCounters(b.counters);
      if (!counters.isReady || !counters.isApproved) {
        refuse(
          "OP_MODEL_NOT_PAYABLE",
          `model ${operation.b} is not ${counters.isApproved ? "ready" : "approved by its datanet"}`,
          {
            id: operation.b,
            isReady: counters.isReady,
            isApproved: counters.isApproved,
          },
        );
      }
      if (counters.paymentCount + 1n > counters.cap) {
        refuse("OP_EPOCH_FULL", `model ${operation.b} takes ${counters.cap} payments an epoch`, {
          id: operation.b,
          cap: counters.cap.toString(),
        });
      }
      if (amountWei < counters.priceWei) {
        refuse("OP_BELOW_PRICE", `model ${operation.b} asks ${counters.priceWei} wei`, {
          id: operation.b,
          priceWei: counters.priceWei.toString(),
        });
      }
      const openAmount = credit(b.openAmount, amountWei);
      newB = withLeaf(oldB!, {
        openAmount,
        counters: b.counters + (1n << COUNTERS.paymentCount),
        chain: chainStep(TAG.payment, b.chain, words[0]!, operation.a, openAmount),
      });
      break;
    }
    case KIND.createAccount:
    case KIND.createDatanet:
    case KIND.createModel:
      newB = createdRecord(kind, words, amountWei);
      break;
    case KIND.publishVersion: {
      requireKind(newA, LEAF_KIND.datanet, operation.a);
      const datanet: DatanetBody = {
        version: newA.datanet!.version + 1n,
        rowCount: words[3]!,
        publishedAt: context.timestamp,
        policy: words[4]!,
        rowsRoot: words[0]!,
        ownersCommitment: words[1]!,
        slotRoot: words[2]!,
      };
      newA = { leaf: { ...newA.leaf, body: hashDatanetBody(datanet) }, datanet };
      break;
    }
    case KIND.approveModel:
    case KIND.revokeModel: {
      requireKind(newA, LEAF_KIND.datanet, operation.a);
      requireKind(oldB!, LEAF_KIND.model, operation.b);
      newB = setApproval(operation, newA.datanet!, oldB!, context);
      break;
    }
    case KIND.seal:
      newB = sealEpoch(oldB!, { modelId: operation.b, signerId: operation.a }, context);
      break;
    case KIND.claim:
      claim = claimed!.trace;
      // A model may own a slot of itself: its leaf has then changed as A.
      newB = { ...claimed!.model, leaf: { ...oldB!.leaf, body: claimed!.model.leaf.body } };
      break;
    case KIND.setKey:
      newA = withLeaf(newA, { keyX: words[0]! });
      break;
    case KIND.withdraw:
      break;
    default:
      refuse("OP_UNKNOWN_KIND", `kind ${kind} is not a signed operation`, { kind });
  }
  if (rule.isCreate) ledger.nextId += 1;
  return apply(ledger, {
    record: { kind, a: operation.a, b: bId, amountCode: operation.amountCode, isValid: false, words },
    feeWei,
    newA,
    newB,
    maxFeePerUnitWei: authorisation?.maxFeePerUnitWei ?? null,
    signature: authorisation?.signature ?? null,
    signerKeyX: a.keyX,
    claim,
  });
}

/** H[tag](chain, payload, A | last << 24): contributions and payments. `last`: rows added, or the new open amount. */
function chainStep(tag: bigint, chain: bigint, payload: bigint, a: number, last: bigint): bigint {
  return hashTagged(tag, [chain, payload, BigInt(a) | (last << BigInt(ID_BITS))]);
}

/** Nobody signs a settlement but, where it has voids, the model. */
function executeSettlement(
  ledger: Ledger,
  operation: SettlementOperation,
  context: SlotContext,
  isSignatureNeeded: boolean,
): SlotTrace {
  const { kind, modelId } = operation;
  const model = ledger.requireRecord(modelId);
  let newA: LeafRecord | null = null;
  let effect: ReturnType<typeof settleModel>;
  let signature: Signature | null = null;
  if (operation.kind === KIND.settle) {
    effect = settleModel(model, operation);
    const treasury = ledger.requireRecord(TREASURY_ID);
    newA = withLeaf(treasury, { balance: credit(treasury.leaf.balance, operation.treasuryWei) });
    if (operation.voidCount > 0 && isSignatureNeeded) {
      signature = operation.signature;
      const message = settlementMessage(operation, {
        domain: context.domain,
        bRef: leafReference(model.leaf),
      });
      if (signature === null || !verifySignature({ keyX: model.leaf.keyX, message, signature })) {
        refuse("OP_BAD_SIGNATURE", `a settlement with voids needs the signature of model ${modelId}`, {
          id: modelId,
          kind: "settle",
        });
      }
    }
  } else {
    effect = openModel(model, operation, context.timestamp);
  }
  const words = [operation.settlementHash];
  return apply(ledger, {
    record: { kind, a: TREASURY_ID, b: modelId, amountCode: 0n, isValid: false, words },
    feeWei: 0n,
    newA,
    newB: effect.model,
    ...UNSIGNED,
    signature,
    signerKeyX: model.leaf.keyX,
    settlement: effect.trace,
  });
}

function setApproval(
  operation: Pick<SignedOperation, "kind" | "a" | "b" | "words">,
  datanet: DatanetBody,
  model: LeafRecord,
  context: SlotContext,
): LeafRecord {
  const { statics } = model.model!;
  const binding = unpackBinding(statics.binding);
  const differs = (field: string) =>
    refuse("OP_MODEL_NOT_OF_DATANET", `model ${operation.b}'s ${field} is not datanet ${operation.a}'s`, {
      datanetId: operation.a,
      modelId: operation.b,
      field,
    });
  if (statics.binding >> 112n !== 0n) differs("binding");
  if (binding.datanetId !== BigInt(operation.a)) differs("datanet");
  const counters = unpackCounters(model.leaf.counters);
  const isApproval = operation.kind === KIND.approveModel;
  if (isApproval) {
    if (operation.words[0] !== hashStatics(statics)) differs("statics");
    if (datanet.version === 0n)
      refuse("OP_DATANET_NOT_PUBLISHED", `datanet ${operation.a} has no published version`, {
        id: operation.a,
      });
    if (binding.version !== datanet.version) differs("version");
    if (binding.rowCount !== datanet.rowCount) differs("rowCount");
    if (statics.ownersCommitment !== datanet.ownersCommitment) differs("ownersCommitment");
    if (statics.slotRoot !== datanet.slotRoot) differs("slotRoot");
    const approvableAt = datanet.publishedAt + BigInt(APPROVAL_DELAY_SECONDS);
    if (context.timestamp < approvableAt) {
      refuse("OP_APPROVAL_TOO_EARLY", `version ${datanet.version} can be approved from ${approvableAt} on`, {
        approvableAtSeconds: approvableAt.toString(),
        timestampSeconds: context.timestamp.toString(),
      });
    }
  }
  return withLeaf(model, { counters: packCounters({ ...counters, isApproved: isApproval }) });
}

function executeQueueEntry(ledger: Ledger, entry: QueueOperation, context: SlotContext): SlotTrace {
  const rule = kindRule(entry.kind);
  if (!rule?.isQueue)
    refuse("OP_UNKNOWN_KIND", `kind ${entry.kind} is not a queue entry`, { kind: entry.kind });
  void context;
  const words = [entry.amountWei, entry.word1, entry.word2, entry.sender];
  let newA: LeafRecord | null = null;
  let newB: LeafRecord | null = null;
  let b = entry.b;
  let executedWei = 0n;
  const owned = (record: LeafRecord | undefined, owner: bigint) =>
    record !== undefined && record.leaf.l1Owner === owner ? record : null;

  switch (entry.kind) {
    case KIND.depositNew:
      if (ledger.nextId < ledger.tree.capacity) {
        b = ledger.nextId;
        newB = createdRecord(KIND.createAccount, [entry.word1, entry.word2], entry.amountWei);
        ledger.nextId += 1;
      }
      break;
    case KIND.depositTo: {
      const target = owned(ledger.record(entry.b), entry.word1);
      if (target !== null) newB = withLeaf(target, { balance: credit(target.leaf.balance, entry.amountWei) });
      break;
    }
    case KIND.forcedWithdraw: {
      const leaf = owned(ledger.record(entry.a), entry.sender);
      if (leaf === null) break;
      const wanted = entry.amountWei === WITHDRAW_ALL_WEI ? leaf.leaf.balance : entry.amountWei;
      if (wanted > leaf.leaf.balance) break;
      executedWei = wanted;
      newA = withLeaf(leaf, { balance: leaf.leaf.balance - wanted });
      break;
    }
    case KIND.forcedSetKey: {
      const leaf = owned(ledger.record(entry.a), entry.sender);
      if (leaf !== null) newA = withLeaf(leaf, { keyX: entry.word1 });
      break;
    }
    case KIND.forcedSetOwner: {
      const leaf = owned(ledger.record(entry.a), entry.sender);
      if (leaf !== null) newA = withLeaf(leaf, { l1Owner: entry.word1 });
      break;
    }
  }
  if (entry.kind === KIND.forcedWithdraw) words.push(executedWei);
  return apply(ledger, {
    record: {
      kind: entry.kind,
      a: entry.a,
      b,
      amountCode: 0n,
      isValid: newA !== null || newB !== null,
      words,
    },
    feeWei: 0n,
    newA,
    newB,
    ...UNSIGNED,
  });
}

function createdRecord(kind: number, words: readonly bigint[], balance: bigint): LeafRecord {
  const base: Leaf = { ...EMPTY_LEAF, l1Owner: words[0]!, keyX: words[1]!, balance: credit(0n, balance) };
  if (kind === KIND.createAccount) return { leaf: { ...base, kind: LEAF_KIND.account } };
  if (kind === KIND.createDatanet) {
    const datanet = EMPTY_DATANET_BODY;
    return { leaf: { ...base, kind: LEAF_KIND.datanet, body: hashDatanetBody(datanet) }, datanet };
  }
  const model = createdModelBody(words);
  const counters = (words[6]! & MAX_AMOUNT_WEI) << COUNTERS.price;
  return { leaf: { ...base, kind: LEAF_KIND.model, counters, body: hashModelBody(model) }, model };
}

interface Effect {
  readonly record: SlotRecord;
  readonly feeWei: bigint;
  /** null = opened and left as it is. */
  readonly newA: LeafRecord | null;
  readonly newB: LeafRecord | null;
  /** null = the slot is not signed (or replayed without its signature, and then never proven). */
  readonly maxFeePerUnitWei: bigint | null;
  readonly signature: Signature | null;
  /** Whose signature it is. */
  readonly signerKeyX?: bigint;
  readonly claim?: ClaimTrace | null;
  readonly settlement?: SettlementTrace;
}

const UNSIGNED = { maxFeePerUnitWei: null, signature: null } as const;

/** Writes A, then B on the new root, and keeps what the witness needs of the way. */
function apply(ledger: Ledger, effect: Effect): SlotTrace {
  const { record } = effect;
  const oldRoot = ledger.root;
  const before = ledger.opened(record.a);
  const childrenA = ledger.tree.path(record.a);
  if (effect.newA !== null) ledger.put(record.a, effect.newA);
  const beforeB = ledger.opened(record.b);
  const childrenB = ledger.tree.path(record.b);
  if (effect.newB !== null) ledger.put(record.b, effect.newB);
  const signature = effect.signature ?? DUMMY.signature;
  return {
    record,
    oldRoot,
    newRoot: ledger.root,
    feeWei: effect.feeWei,
    a: before.leaf,
    b: beforeB.leaf,
    childrenA,
    childrenB,
    maxFeePerUnitWei: effect.maxFeePerUnitWei ?? 0n,
    keyY: effect.signature === null ? DUMMY.keyY : recoverKeyY(effect.signerKeyX!)!,
    signature,
    datanetA: before.datanet ?? null,
    modelB: beforeB.model ?? null,
    claim: effect.claim ?? null,
    settlement: effect.settlement ?? null,
  };
}

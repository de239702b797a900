/**
 * Input signals of `TableBatch` (table-batch.circom) for header, wide slots and fee leaf of a closed batch;
 * table-inputs.ts adds the table's.
 */
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { type Leaf, leafFields, leafHead, type ModelBody, unpackCounters } from "../ledger/leaf.ts";
import { createdModelBody } from "../ledger/leaf-rules.ts";
import {
  accruedSubroots,
  claimedPath,
  listedCommitments,
  listedRows,
  ownersOfShards,
  unpackSplit,
} from "../ledger/rewards.ts";
import {
  APPROVAL_DELAY_SECONDS,
  BINDING,
  BINDING_BITS,
  DATANET_COUNT_MAX,
  EPOCH_SECONDS,
  FIELD_ORDER,
  KIND,
  KIND_RULES,
  kindRule,
  LEAF_KIND,
  SHARD_COUNT_MAX,
  WIDE_WORD_COUNT,
  WITHDRAW_ALL_WEI,
} from "../protocol.ts";
import type { ClosedBatch } from "./batch.ts";
import { unpackForcedApproval } from "./queue-slot.ts";
import type { SlotTrace } from "./slot-trace.ts";

const WIDE_KINDS = KIND_RULES.filter((rule) => rule.kind !== KIND.null);
/** Length of wide-slot.circom's `scratchBits`: digits of what the one active kind compares. */
const SCRATCH_BITS = 445;

const toBits = (value: bigint, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => (value >> BigInt(i)) & 1n);

/** Fields of an opened leaf. The tag is 0 if the leaf is absent, as the circuit requires. */
function openedFields(leaf: Leaf, isPresent: boolean): bigint[] {
  const [tag, ...inputs] = leafFields(leaf);
  return [isPresent ? tag : 0n, ...inputs];
}

/**
 * The inputs of the batch circuit at challenge z but for the table's. Rows are slots; the order within rows is
 * slot-places.circom's.
 */
export function batchInputs(closed: ClosedBatch, z: bigint, depth: number): CircuitInputs {
  const { data, wide, fee } = closed;
  const idBits = 3 * depth;
  // An unsigned slot allows exactly the batch's fee.
  const maxFee = (trace: SlotTrace) =>
    KIND_RULES.find((rule) => rule.kind === trace.record.kind)?.isSigned
      ? trace.maxFeePerUnitWei
      : data.feePerUnitWei;
  const signature = (trace: SlotTrace) => [trace.keyY, trace.signature.r8x, trace.signature.s];
  const wides = wide.map(wideDetails);
  // Slots that claim nothing read 0 in an empty tree, at any position.
  const emptyPath = claimedPath([], 0);
  return {
    z,
    domain: data.domain,
    oldRoot: data.oldRoot,
    batchNumber: data.batchNumber,
    timestamp: data.timestamp,
    firstOpIndex: data.firstOpIndex,
    oldNextId: BigInt(data.oldNextId),
    feePerUnit: data.feePerUnitWei,
    idFee: data.idFeeWei,
    feeIdBits: toBits(BigInt(fee.id), idBits),
    feeLeaf: leafHead(fee.leaf),
    feeChildren: fee.children,

    wideFlags: wide.map((t) => WIDE_KINDS.map(({ kind }) => BigInt(kind === t.record.kind))),
    wideABits: wide.map((t) => toBits(BigInt(t.record.a), idBits)),
    wideBBits: wide.map((t) => toBits(BigInt(t.record.b), idBits)),
    wideAmountBits: wide.map((t) => toBits(shownAmount(t), 40)),
    wideWords: wide.map((t) => Array.from({ length: WIDE_WORD_COUNT }, (_, i) => t.record.words[i] ?? 0n)),
    wideIsMissing: wides.map((w) => w.isMissing),
    wideA: wide.map((t, i) => openedFields(t.a, wides[i]!.isMissing[0] === 0n)),
    wideB: wide.map((t, i) => openedFields(t.b, !wides[i]!.isEmptyB)),
    wideChildrenA: wide.map((t) => t.childrenA),
    wideChildrenB: wide.map((t) => t.childrenB),
    wideRest: wide.map((t, i) => {
      const { ready, approved, cap, paymentCount, epoch, price, approvals } = wides[i]!.counters;
      return [maxFee(t), ...signature(t), ready, approved, cap, paymentCount, epoch, price, ...approvals];
    }),
    wideDatanet: wides.map((w) => w.datanet),
    wideModel: wides.map((w) => w.model),
    wideAccruedChildren: wide.map(
      (t, i) => t.claimRewards?.accruedChildren ?? wides[i]!.joint?.accruedChildren ?? emptyPath,
    ),
    wideClaimedChildren: wide.map((t) => t.claimRewards?.claimedChildren ?? emptyPath),
    wideScratchBits: wide.map((t, i) =>
      toBits(
        scratch(t, data.timestamp) | (wides[i]!.joint?.places ?? 0n) | (exactWord(t.record) << 307n),
        SCRATCH_BITS,
      ),
    ),
  };
}

/** Forced kinds that open B where it is a model. */
const ASKING_MODEL: ReadonlySet<number> = new Set([
  KIND.forcedClaimRewards,
  KIND.forcedCloseEpoch,
  KIND.forcedPayInference,
  KIND.forcedRevokeModel,
  KIND.forcedApproveModel,
]);

/**
 * Digits of the amount. A ForcedClaimRewards has no amount and shows the member with the role in the payee
 * there (claim-rewards.circom).
 */
const shownAmount = ({ claimRewards, record }: SlotTrace): bigint =>
  record.kind === KIND.forcedClaimRewards ? (claimRewards?.memberId ?? 0n) : record.amountCode;

function modelCounters(trace: SlotTrace, isOpened: boolean) {
  const counters = unpackCounters(isOpened ? trace.b.counters : 0n);
  return {
    ready: BigInt(counters.isReady),
    approved: BigInt(counters.isApproved),
    cap: counters.cap,
    paymentCount: counters.paymentCount,
    epoch: counters.epoch,
    price: counters.priceWei,
    approvals: toBits(BigInt(counters.approvals), DATANET_COUNT_MAX),
  };
}

/**
 * Witness inputs of an approval by one of several datanets: the model's shards as its activation showed them.
 * null for all other operations.
 */
function openedJointly({ jointApproval, modelB }: SlotTrace) {
  if (jointApproval === null) return null;
  const { payees, place } = jointApproval;
  const shards = ownersOfShards(payees.map(({ rowCount }) => rowCount));
  const subroots = accruedSubroots(payees, []);
  const none = Array<bigint>(SHARD_COUNT_MAX).fill(0n);
  return {
    // The place as an index in the paths of two trees; their other indices are 0.
    places: BigInt(place * 0o110),
    subtree: subroots[place]!,
    list: listedRows(shards),
    accruedChildren: [none, listedCommitments(shards), subroots, none.with(0, modelB!.statics.payeeRoot)],
  };
}

function wideDetails(trace: SlotTrace) {
  const { kind, words } = trace.record;
  const isApproval = kind === KIND.approveModel || kind === KIND.revokeModel;
  const rule = kindRule(kind);
  const isMissingA = rule?.isQueue === true && rule.usesA && trace.a.kind === 0;
  const isMissingB = rule?.isQueue === true && rule.usesB && trace.b.kind === 0;
  const d = trace.datanetA;
  const isForcedByDatanet = kind === KIND.forcedApproveModel || kind === KIND.forcedPublishVersion;
  const opensDatanet = kind === KIND.publishVersion || isApproval || isForcedByDatanet;
  const turnsModel = kind >= KIND.closeEpoch && kind <= KIND.activation;
  const opensModel = isApproval || turnsModel || (ASKING_MODEL.has(kind) && trace.b.kind === LEAF_KIND.model);
  const joint = openedJointly(trace);
  return {
    isMissing: [BigInt(isMissingA), BigInt(isMissingB)],
    isEmptyB: trace.b.kind === 0,
    counters: modelCounters(trace, kind === KIND.payInference || opensModel),
    datanet:
      opensDatanet && d !== null
        ? [d.version, d.rowCount, d.publishedAt, d.policy, d.rowsRoot, d.ownersCommitment, d.payeeRoot]
        : Array(7).fill(0n),
    model: [
      ...modelFields(
        trace,
        opensModel ? trace.modelB : kind === KIND.createModel ? createdModelBody(words) : null,
      ),
      joint?.subtree ?? 0n,
      ...(joint?.list ?? [0n, 0n, 0n]),
    ],
    joint,
  };
}

/** The columns of wideModel that a body opens to (slot-places.circom). */
function modelFields(trace: SlotTrace, body: ModelBody | null): bigint[] {
  const newAccruedRoot = trace.settlement?.newAccruedRoot ?? 0n;
  if (body === null) return [...Array<bigint>(9).fill(0n), newAccruedRoot];
  const { statics, closed, accruedRoot, claimedRoot, epochStart } = body;
  const { featuresCommitment, ownersCommitment, payeeRoot, binding, split } = statics;
  return [
    featuresCommitment,
    ownersCommitment,
    payeeRoot,
    binding,
    split,
    closed,
    accruedRoot,
    claimedRoot,
    epochStart,
    newAccruedRoot,
  ];
}

/** Values side by side, each in its width, the first lowest. A value that is too wide loses its upper bits. */
function sideBySide(parts: readonly (readonly [value: bigint, width: number])[]): bigint {
  return parts.reduceRight(
    (sum, [value, width]) => (sum << BigInt(width)) | BigInt.asUintN(width, value),
    0n,
  );
}

const bindingDigits = (binding: bigint): bigint =>
  sideBySide([
    [0n, 12],
    [binding >> BINDING.version, 103],
    [binding, 24],
    [binding >> BINDING.further, 120],
  ]);

/**
 * Decomposes any word, as a forced revocation may find it in place of a binding. Words from 2^247 on become
 * the digits of their distance from 2^247, or from r − 2^253.
 */
function anyBindingDigits(binding: bigint): bigint {
  if (binding >> BINDING_BITS === 0n) return bindingDigits(binding);
  const above = binding - (1n << BINDING_BITS);
  const isHigh = above >> 253n !== 0n;
  const digits = isHigh ? binding - FIELD_ORDER + (1n << 253n) : above;
  return bindingDigits(digits) | (sideBySide([[1n, 1], [BigInt(isHigh), 1], [digits >> BINDING_BITS, 6]]) << 299n); // biome-ignore format: one line
}

/** The word that phase F bounds below 2^96; 0 for kinds without one. */
function exactWord({ kind, words }: SlotTrace["record"]): bigint {
  const isAmount = kindRule(kind)?.isQueue === true && kind !== KIND.forcedClaimRewards;
  const position = kind === KIND.withdraw ? 1 : kind === KIND.createModel ? 6 : isAmount ? 0 : null;
  return position === null ? 0n : BigInt.asUintN(96, words[position] ?? 0n);
}

/**
 * The value that the active kind's comparison decomposes (wide-slot.circom, phases D and E;
 * model-body.circom).
 */
function scratch(trace: SlotTrace, timestamp: bigint): bigint {
  const { kind, words } = trace.record;
  switch (kind) {
    case KIND.createModel:
      return sideBySide([
        [words[0]!, 160],
        [words[6]! >> 96n, 32],
      ]);
    case KIND.publishVersion:
      return sideBySide([
        [0n, 160],
        [words[3]!, 32],
      ]);
    case KIND.createAccount:
    case KIND.createDatanet:
    case KIND.withdraw:
      return words[0]!;
    case KIND.forcedWithdraw:
    case KIND.forcedTransfer:
    case KIND.forcedPayInference: {
      const requestedWei = words[0] === WITHDRAW_ALL_WEI ? trace.a.balance : words[0]!;
      const isPriced = kind === KIND.forcedPayInference && trace.b.kind === LEAF_KIND.model;
      const price = isPriced ? unpackCounters(trace.b.counters).priceWei : 0n;
      return sideBySide([
        [trace.a.balance - requestedWei + (1n << 96n), 97],
        [kind === KIND.forcedPayInference ? requestedWei - price + (1n << 96n) : 0n, 97],
      ]);
    }
    case KIND.forcedCommitData:
      return trace.b.kind === LEAF_KIND.datanet ? trace.b.counters + words[0]! : 0n;
    case KIND.forcedApproveModel: {
      const waited =
        unpackForcedApproval(words[0]!).queuedAt -
        (trace.datanetA?.publishedAt ?? 0n) -
        BigInt(APPROVAL_DELAY_SECONDS);
      return sideBySide([
        [words[0]!, 79],
        [waited + (1n << 40n), 41],
      ]);
    }
    case KIND.forcedRevokeModel:
      return trace.b.kind === LEAF_KIND.model ? anyBindingDigits(trace.modelB!.statics.binding) : 0n;
    case KIND.approveModel: {
      const waited = timestamp - trace.datanetA!.publishedAt - BigInt(APPROVAL_DELAY_SECONDS);
      return bindingDigits(trace.modelB!.statics.binding) | (BigInt.asUintN(40, waited) << 259n);
    }
    case KIND.revokeModel:
      return bindingDigits(trace.modelB!.statics.binding);
    case KIND.closeEpoch:
    case KIND.forcedCloseEpoch: {
      // If a ForcedCloseEpoch's B is no model, the circuit compares zeros.
      const isOpened = kind === KIND.closeEpoch || trace.b.kind === LEAF_KIND.model;
      const epochStart = isOpened ? trace.modelB!.epochStart : 0n;
      const epoch = isOpened ? unpackCounters(trace.b.counters).epoch : 0n;
      return sideBySide([
        [
          (kind === KIND.closeEpoch ? timestamp : words[1]!) -
            epochStart -
            BigInt(EPOCH_SECONDS) +
            (1n << 40n),
          41,
        ],
        [epoch + 1n, 25],
      ]);
    }
    case KIND.settle: {
      const { ownerWei, treasuryWei, voidCount } = trace.settlement!;
      return sideBySide([
        [ownerWei, 96],
        [treasuryWei, 96],
        [BigInt(voidCount), 8],
      ]);
    }
    case KIND.activation:
      return BigInt(trace.settlement!.cap);
    case KIND.claimRewards:
    case KIND.forcedClaimRewards: {
      // A ForcedClaimRewards opens no payee if B is no ready model.
      if (trace.claimRewards === null) return 0n;
      const { otherId, accruedWei, otherClaimedWei, claimedWei } = trace.claimRewards;
      const word = words[kind === KIND.claimRewards ? 0 : 1]!;
      const { ownerParts, validatorParts } = unpackSplit(trace.modelB!.statics.split);
      return sideBySide([
        [word, 13],
        [otherId, 24],
        [accruedWei, 120],
        [accruedWei * validatorParts, 16],
        [ownerParts, 16],
        [validatorParts, 16],
        [otherClaimedWei, 120],
        [claimedWei, 120],
      ]);
    }
    default:
      return 0n;
  }
}

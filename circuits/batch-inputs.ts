/** Lays a sealed batch out as the input signals of `LedgerBatch` (batch.circom). */
import type { SealedBatch } from "./batch.ts";
import { type Leaf, leafFields, unpackCounters } from "./leaf.ts";
import {
  APPROVAL_DELAY_SECONDS,
  BINDING,
  KIND,
  KIND_RULES,
  WIDE_WORD_COUNT,
  WITHDRAW_ALL_WEI,
} from "./protocol.ts";
import type { SlotTrace } from "./slot.ts";
import type { CircuitInputs } from "./witness-calculator.ts";

const WIDE_KINDS = KIND_RULES.filter((rule) => rule.kind !== KIND.null);
const NARROW_KINDS = WIDE_KINDS.filter((rule) => rule.isNarrow);
const SCRATCH_BITS = 160;

const toBits = (value: bigint, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => (value >> BigInt(i)) & 1n);

/** Where there is no leaf, the circuit wants the tag 0 too. */
function openedFields(leaf: Leaf, isPresent: boolean): bigint[] {
  const [tag, ...inputs] = leafFields(leaf);
  return [isPresent ? tag : 0n, ...inputs];
}

/** The inputs of the batch circuit at challenge z. Rows are slots; the order within rows is batch.circom's. */
export function batchInputs(sealed: SealedBatch, z: bigint, depth: number): CircuitInputs {
  const { data, narrow, wide, fee } = sealed;
  const idBits = 3 * depth;
  const flags = (trace: SlotTrace, rules: typeof KIND_RULES) =>
    rules.map((rule) => (rule.kind === trace.record.kind ? 1n : 0n));
  // An unsigned slot allows exactly the batch's fee.
  const maxFee = (trace: SlotTrace) =>
    KIND_RULES.find((rule) => rule.kind === trace.record.kind)?.isSigned
      ? trace.maxFeePerUnitWei
      : data.feePerUnitWei;
  const signature = (trace: SlotTrace) => [
    trace.keyY,
    trace.signature.r8x,
    trace.signature.r8y,
    trace.signature.s,
  ];
  const wides = wide.map(wideDetails);
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
    feeLeaf: leafFields(fee.leaf),
    feeChildren: fee.children,

    narrowFlags: narrow.map((t) => flags(t, NARROW_KINDS)),
    narrowABits: narrow.map((t) => toBits(BigInt(t.record.a), idBits)),
    narrowBBits: narrow.map((t) => toBits(BigInt(t.record.b), idBits)),
    narrowAmountBits: narrow.map((t) => toBits(t.record.amountCode, 40)),
    narrowPayload: narrow.map((t) => t.record.words[0] ?? 0n),
    narrowA: narrow.map((t) => leafFields(t.a)),
    narrowB: narrow.map((t) => leafFields(t.b)),
    narrowChildrenA: narrow.map((t) => t.childrenA),
    narrowChildrenB: narrow.map((t) => t.childrenB),
    narrowRest: narrow.map((t) => {
      const { cap, paymentCount, epoch, price } = modelCounters(t, t.record.kind === KIND.payInference);
      return [maxFee(t), ...signature(t), cap, paymentCount, epoch, price];
    }),

    wideFlags: wide.map((t) => flags(t, WIDE_KINDS)),
    wideABits: wide.map((t) => toBits(BigInt(t.record.a), idBits)),
    wideBBits: wide.map((t) => toBits(BigInt(t.record.b), idBits)),
    wideAmountBits: wide.map((t) => toBits(t.record.amountCode, 40)),
    wideWords: wide.map((t) => Array.from({ length: WIDE_WORD_COUNT }, (_, i) => t.record.words[i] ?? 0n)),
    wideIsMissing: wides.map((w) => w.isMissing),
    wideA: wide.map((t, i) => openedFields(t.a, wides[i]!.isMissing[0] === 0n)),
    wideB: wide.map((t, i) => openedFields(t.b, !wides[i]!.isEmptyB)),
    wideChildrenA: wide.map((t) => t.childrenA),
    wideChildrenB: wide.map((t) => t.childrenB),
    wideRest: wide.map((t, i) => {
      const { ready, approved, cap, paymentCount, epoch, price } = wides[i]!.counters;
      return [maxFee(t), ...signature(t), ready, approved, cap, paymentCount, epoch, price];
    }),
    wideDatanet: wides.map((w) => w.datanet),
    wideModel: wides.map((w) => w.model),
    wideScratchBits: wide.map((t) => toBits(scratch(t, data.timestamp), SCRATCH_BITS)),
  };
}

function modelCounters(trace: SlotTrace, isOpened: boolean) {
  if (!isOpened) return { ready: 0n, approved: 0n, cap: 0n, paymentCount: 0n, epoch: 0n, price: 0n };
  const counters = unpackCounters(trace.b.counters);
  return {
    ready: BigInt(counters.isReady),
    approved: BigInt(counters.isApproved),
    cap: counters.cap,
    paymentCount: counters.paymentCount,
    epoch: counters.epoch,
    price: counters.priceWei,
  };
}

function wideDetails(trace: SlotTrace) {
  const { kind, words } = trace.record;
  const isApproval = kind === KIND.approveModel || kind === KIND.revokeModel;
  const isForced = kind >= KIND.forcedWithdraw && kind <= KIND.forcedSetOwner;
  const isMissingA = isForced && trace.a.kind === 0;
  const isMissingB = kind === KIND.depositTo && trace.b.kind === 0;
  const d = trace.datanetA;
  const opensDatanet = kind === KIND.publishVersion || isApproval;
  let model: bigint[] = Array(8).fill(0n);
  if (kind === KIND.createModel) {
    model = [words[2]!, words[3]!, words[4]!, words[5]!, 0n, words[4]!, words[4]!, 0n];
  } else if (isApproval && trace.modelB !== null) {
    const { statics, sealed, accruedRoot, claimedRoot, owed } = trace.modelB;
    model = [
      statics.featuresCommitment,
      statics.ownersCommitment,
      statics.slotRoot,
      statics.binding,
      sealed,
      accruedRoot,
      claimedRoot,
      owed,
    ];
  }
  return {
    isMissing: [BigInt(isMissingA), BigInt(isMissingB)],
    isEmptyB: trace.b.kind === 0,
    counters: modelCounters(trace, kind === KIND.payInference || isApproval),
    datanet:
      opensDatanet && d !== null
        ? [d.version, d.rowCount, d.publishedAt, d.policy, d.rowsRoot, d.ownersCommitment, d.slotRoot]
        : Array(7).fill(0n),
    model,
  };
}

/** What the active kind's comparison decomposes (wide-slot.circom, phases D and F). */
function scratch(trace: SlotTrace, timestamp: bigint): bigint {
  const { kind, words, a } = trace.record;
  switch (kind) {
    case KIND.createAccount:
    case KIND.createDatanet:
    case KIND.createModel:
    case KIND.withdraw:
      return words[0]!;
    case KIND.forcedWithdraw: {
      const wanted = words[0] === WITHDRAW_ALL_WEI ? trace.a.balance : words[0]!;
      return trace.a.balance - wanted + (1n << 96n);
    }
    case KIND.approveModel: {
      const waited = timestamp - trace.datanetA!.publishedAt - BigInt(APPROVAL_DELAY_SECONDS);
      return (trace.modelB!.statics.binding >> BINDING.split) | (waited << 56n);
    }
    case KIND.revokeModel:
      return (trace.modelB!.statics.binding - BigInt(a)) >> 24n;
    default:
      return 0n;
  }
}

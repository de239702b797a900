/** Input signals of `TableBatch` (table-batch.circom) for a batch's leaf table and blob; batch-inputs.ts has the other ones. */
import type { BatchData } from "../batch/batch-data.ts";
import { blobHalves, evaluateBlob } from "../blob/blob-bytes.ts";
import { blobElements } from "../blob/blob-elements.ts";
import { blobReductions } from "../blob/blob-reductions.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { hashLeafRest, type Leaf, leafHead, unpackCounters } from "../ledger/leaf.ts";
import { ID_BITS, isBlobShape, KIND } from "../protocol.ts";
import type { TableLayout, TableSlot } from "./table-layout.ts";

const toBits = (value: bigint | number, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => (BigInt(value) >> BigInt(i)) & 1n);

/** Prefixes each name: `slots("transfer", { used })` is `{ transferUsed }`. */
const named = (section: string, values: CircuitInputs): CircuitInputs =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `${section}${name[0]!.toUpperCase()}${name.slice(1)}`,
      value,
    ]),
  );

function slotInputs(slots: readonly TableSlot[], window: number): CircuitInputs {
  return {
    used: slots.map(({ kind }) => BigInt(kind !== KIND.null)),
    aBits: slots.map(({ a }) => toBits(a, 3 * window)),
    bBits: slots.map(({ b }) => toBits(b, 3 * window)),
    amountBits: slots.map(({ amountCode }) => toBits(amountCode, 40)),
    nextBits: slots.map(({ kind, nonce }) => toBits(kind === KIND.null ? nonce : nonce + 1n, 40)),
    slackBits: slots.map(({ slackWei }) => toBits(slackWei, 64)),
    bRef: slots.map(({ bRef }) => bRef),
    signature: slots.map(({ keyX, keyY, signature: { r8x, s } }) => [keyX, keyY, r8x, s]),
  };
}

/** Inputs of the table: all but header, fee leaf and wide slots, which are as in `batchInputs`. */
function tableInputs(layout: TableLayout): CircuitInputs {
  const { members, rows, units, tree, shape } = layout;
  const window = shape.low + shape.top;
  const change = (of: (leaf: Leaf) => bigint) => rows.map(({ after }) => of(after));
  const opening = units.map(({ isModel, state }) => unpackCounters(isModel ? state[6] : 0n));
  return {
    // A prover that is to blind the proof by it sets a random one.
    blinding: 0n,
    ...named("transfer", slotInputs(layout.transfers, window)),
    ...named("member", {
      ...slotInputs(members, window),
      payload: members.map(({ payload }) => payload),
      isPay: members.map(({ kind }) => BigInt(kind === KIND.payInference)),
      chain: members.map(({ chain }) => chain),
      open: members.map(({ openWei }) => openWei),
      surplusBits: members.map(({ surplusWei }) => toBits(surplusWei, 64)),
      gapBits: members.map(({ gap }) => toBits(gap, 11)),
    }),
    ...named("row", {
      idBits: rows.map(({ id }) => toBits(id, 3 * window)),
      first: rows.map(({ isFirst }) => BigInt(isFirst)),
      isMember: rows.map(({ isMember }) => BigInt(isMember)),
      askedBits: rows.map(({ asked }) => toBits(asked, 12)),
      leaf: rows.map(({ before }) => leafHead(before)),
      newNonce: change((leaf) => leaf.nonce),
      newBalance: change((leaf) => leaf.balance),
      newRest: change(hashLeafRest),
      children: layout.rowChildren,
    }),
    ...named("unit", {
      idBits: units.map(({ id }) => toBits(id, ID_BITS)),
      isUsed: units.map(({ isUsed }) => BigInt(isUsed)),
      isModel: units.map(({ isModel }) => BigInt(isModel)),
      askedBits: units.map(({ asked }) => toBits(asked, 12)),
      lastBits: units.map(({ last }) => toBits(last, 12)),
      ref: units.map(({ state }) => state[0]),
      state: units.map(({ state, body }) => [...state.slice(1), body]),
      readyBit: opening.map(({ isReady }) => BigInt(isReady)),
      approvedBit: opening.map(({ isApproved }) => BigInt(isApproved)),
      capBits: opening.map(({ cap }) => toBits(cap, 16)),
      countBits: opening.map(({ paymentCount }) => toBits(paymentCount, 16)),
      epochBits: opening.map(({ epoch }) => toBits(epoch, 24)),
      priceBits: opening.map(({ priceWei }) => toBits(priceWei, 96)),
    }),
    old: tree.old,
    now: tree.now,
    touched: tree.touched.map(BigInt),
    spineChildren: tree.spineChildren,
  };
}

/** Inputs of a blob's evaluation at z: the public halves of its value, and the witness. */
function blobInputs(elements: readonly bigint[], z: bigint): CircuitInputs {
  const { blobLow, blobHigh } = blobHalves(evaluateBlob(elements, z));
  const { quotient, remainder } = blobReductions(elements, z);
  return { blobHalves: [blobLow, blobHigh], blobQuotient: quotient, blobRemainder: remainder };
}

/**
 * Circuit inputs of a whole batch. @param others header, wide slots and fee leaf, as `batchInputs` lays them
 * out
 */
export function withTable(others: CircuitInputs, layout: TableLayout, data: BatchData): CircuitInputs {
  return {
    ...others,
    ...tableInputs(layout),
    ...(isBlobShape(data.shape) ? blobInputs(blobElements(data), BigInt(others.z as bigint)) : {}),
  };
}

/**
 * The table's one equation, as terms.circom states it: every slot, row and unit says weighted points, and those of the
 * whole batch must cancel. Here as formal sums, point by point; the circuit checks them at one random place.
 */

import { operationFeeWei } from "../batch/slot.ts";
import { hashTagged } from "../field/poseidon.ts";
import { decodeAmount } from "../ledger/amount-float.ts";
import type { Leaf } from "../ledger/leaf.ts";
import { hashLeafRest, leafFields, unpackCounters } from "../ledger/leaf.ts";
import { leafReference } from "../ledger/operation.ts";
import { COUNTERS, FIELD_ORDER, ID_BITS, KIND, kindRule, TAG, TREE_ARITY } from "../protocol.ts";
import {
  type TableLayout,
  type TableRow,
  type TableSlot,
  type TableUnit,
  unitRests,
} from "../table/table-layout.ts";
import { nextChainRequest, rowsOf } from "../table/table-terms.ts";

/** Sorts of points, by their multiple of alpha^9. */
const SORT = {
  balance: 1,
  nonce: 2,
  reference: 3,
  member: 4,
  chain: 5,
  counters: 6,
  price: 7,
  group: 8,
} as const;

/** A point's coefficients of alpha^0, alpha^1, …; alpha^9 has the sort. */
interface Term {
  readonly sort: keyof typeof SORT;
  readonly coefficients: readonly bigint[];
  readonly weight: bigint;
}

/** Flag in a price's coefficient that only models have. */
const PRICE_OF_MODEL = 1n << 98n;

const term = (sort: Term["sort"], weight: bigint, ...coefficients: (bigint | number)[]): Term => ({
  sort,
  weight,
  coefficients: coefficients.map(BigInt),
});

function slotTerms(slot: TableSlot, feePerUnitWei: bigint): Term[] {
  const isPaying = kindRule(slot.kind)!.movesAmount;
  const wei = isPaying ? decodeAmount(slot.amountCode) : 0n;
  const nonce = (weight: bigint, at: bigint) => term("nonce", weight, slot.a, slot.keyX, at);
  return [
    term("balance", -(wei + operationFeeWei(slot.kind, feePerUnitWei)), slot.a),
    nonce(1n, slot.nonce + 1n),
    nonce(-1n, slot.nonce),
  ];
}

function transferTerms(slot: TableSlot, feePerUnitWei: bigint): Term[] {
  if (slot.kind === KIND.null) return [];
  return [
    ...slotTerms(slot, feePerUnitWei),
    term("balance", decodeAmount(slot.amountCode), slot.b),
    term("reference", 1n, slot.b, slot.bRef),
  ];
}

/** @param time number of the slot, from 1 */
function memberTerms(slot: TableSlot, time: number, feePerUnitWei: bigint): Term[] {
  if (slot.kind === KIND.null) return [];
  const isPay = slot.kind === KIND.payInference;
  const wei = isPay ? decodeAmount(slot.amountCode) : 0n;
  const price = isPay ? PRICE_OF_MODEL + 4n * (wei - slot.surplusWei) + 3n : 0n;
  const counted = isPay ? 1n << COUNTERS.paymentCount : rowsOf(slot);
  return [
    ...slotTerms(slot, feePerUnitWei),
    term("counters", counted, slot.b),
    term("chain", -1n, slot.b, slot.chain, slot.openWei, time - 1 - slot.gap),
    term("chain", 1n, slot.b, hashTagged(...nextChainRequest(slot)), slot.openWei + wei, time),
    term("price", 1n, slot.b, slot.bRef, price),
  ];
}

const memberPoint = (id: number, tag: bigint, ref: bigint, rests: readonly bigint[]): bigint[] => [
  BigInt(id) + (tag << BigInt(ID_BITS)),
  ref,
  ...rests,
];

function rowTerms({ id, before, after, asked, isMember }: TableRow): Term[] {
  const nonce = (leaf: Leaf, weight: bigint) => term("nonce", weight, id, before.keyX, leaf.nonce);
  const rests = [before, after].map(hashLeafRest);
  return [
    term("balance", before.balance - after.balance, id),
    nonce(before, 1n),
    nonce(after, -1n),
    term("reference", -BigInt(asked), id, leafReference(before)),
    term("member", BigInt(isMember), ...memberPoint(id, leafFields(before)[0], leafReference(before), rests)),
  ];
}

function unitTerms(unit: TableUnit): Term[] {
  const { id, isUsed, isModel, asked, last, state } = unit;
  const [ref, chain, newChain, openWei, newOpenWei, counters, newCounters] = state;
  const used = BigInt(isUsed);
  const { isReady, isApproved, priceWei } = unpackCounters(newCounters);
  const flags = BigInt(isReady) + 2n * BigInt(isApproved);
  const price = isModel ? PRICE_OF_MODEL + 4n * priceWei + flags : 0n;
  const tag = TAG.leaf + (isModel ? 3n : 2n);
  return [
    term("member", -used, ...memberPoint(id, tag, ref, unitRests(unit))),
    term("chain", used, id, chain, openWei, 0),
    term("chain", -used, id, newChain, newOpenWei, last),
    term("counters", used * (counters - newCounters), id),
    term("price", -BigInt(asked), id, ref, price),
  ];
}

function groupTerms({ rows, tree, shape }: TableLayout): Term[] {
  const sub = ({ id }: TableRow) => Math.floor(id / TREE_ARITY ** shape.low);
  const terms: Term[] = [];
  let start = 0n;
  for (const [j, row] of rows.entries()) {
    if (j === 0 || row.isFirst) start = row.oldSub;
    if (rows[j + 1]?.isFirst ?? true) terms.push(term("group", 1n, sub(row), start, row.newSub));
  }
  for (const [i, isTouched] of tree.touched.entries())
    terms.push(term("group", -BigInt(isTouched), i, tree.old[i]!, tree.now[i]!));
  return terms;
}

export function tableTerms(layout: TableLayout, feePerUnitWei: bigint): Term[] {
  return [
    ...layout.transfers.flatMap((slot) => transferTerms(slot, feePerUnitWei)),
    ...layout.members.flatMap((slot, i) => memberTerms(slot, i + 1, feePerUnitWei)),
    ...layout.rows.flatMap(rowTerms),
    ...layout.units.flatMap(unitTerms),
    ...groupTerms(layout),
  ];
}

/** Points whose weights do not add up to 0, with the rest of their weights. Empty if the batch is right. */
export function unbalanced(terms: readonly Term[]): { point: string; weight: bigint }[] {
  const weights = new Map<string, bigint>();
  for (const { sort, coefficients, weight } of terms) {
    const point = `${sort} ${coefficients.join(" ")}`;
    weights.set(point, (weights.get(point) ?? 0n) + weight);
  }
  return [...weights]
    .map(([point, weight]) => ({ point, weight: weight % FIELD_ORDER }))
    .filter(({ weight }) => weight !== 0n);
}

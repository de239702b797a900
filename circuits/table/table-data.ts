/**
 * Field elements that a batch's commitment C covers, packed as table-frame.circom has them. table-builder.ts computes them when
 * a batch closes.
 */
import { absorbedPosted, type BatchData } from "../batch/batch-data.ts";
import { DUMMY } from "../field/curve/dummy-signature.ts";
import { challengesOf, DUMMY_MESSAGE } from "../field/curve/eddsa.ts";
import { hashTaggedMany } from "../field/poseidon.ts";
import { operationMessage } from "../ledger/operation.ts";
import { KIND } from "../protocol.ts";
import {
  type TableLayout,
  type TableRow,
  type TableSlot,
  type TableUnit,
  unitRests,
} from "./table-layout.ts";
import { nextChainRequest } from "./table-terms.ts";

/** Touched bits in an element. */
const TOUCHED_BITS = 252;

/** Challenge h of each slot's signature. A null slot shows the dummy's. */
const signatureChallenges = (
  slots: readonly TableSlot[],
  { domain, feePerUnitWei }: Pick<BatchData, "domain" | "feePerUnitWei">,
): bigint[] =>
  challengesOf(
    slots.map((slot) => {
      const { signature } = slot;
      if (slot.kind === KIND.null) return { signature, keyX: DUMMY.keyX, message: DUMMY_MESSAGE };
      const operation = {
        kind: slot.kind,
        a: slot.a,
        b: slot.b,
        amountCode: slot.amountCode,
        nonce: slot.nonce,
        words: slot.kind === KIND.transfer ? [] : [slot.payload],
        maxFeePerUnitWei: feePerUnitWei + slot.slackWei,
      };
      const message = operationMessage(operation, { domain, bRef: slot.bRef });
      return { signature, keyX: slot.keyX, message };
    }),
  );

/** Next chain of each slot. Padding slots are one object, which is hashed once. */
function nextChains(members: readonly TableSlot[]): bigint[] {
  const distinct = [...new Set(members)];
  const hashes = hashTaggedMany(distinct.map(nextChainRequest));
  return members.map((slot) => hashes[distinct.indexOf(slot)]!);
}

const packedRow = ({ id, isFirst, isMember, asked }: TableRow): bigint =>
  BigInt(id) | (BigInt(isFirst) << 24n) | (BigInt(isMember) << 25n) | (BigInt(asked) << 26n);

const packedUnit = ({ id, isUsed, isModel, asked, last }: TableUnit): bigint =>
  BigInt(id) |
  (BigInt(isUsed) << 24n) |
  (BigInt(isModel) << 25n) |
  (BigInt(asked) << 26n) |
  (BigInt(last) << 38n);

/** Values of `width` bits, `count` an element, the first lowest. */
function sideBySide(
  values: readonly bigint[],
  { width, count }: { readonly width: number; readonly count: number },
): bigint[] {
  return Array.from({ length: Math.ceil(values.length / count) }, (_, i) =>
    values
      .slice(i * count, (i + 1) * count)
      .reduce((sum, value, j) => sum | (value << BigInt(width * j)), 0n),
  );
}

/**
 * Vector that C commits to (table-frame.circom, phase F): header, wide slots, then the elements that fix the
 * table.
 */
export function absorbedElements(data: BatchData, layout: TableLayout): bigint[] {
  const { tree } = layout;
  // The challenges are cached if the operations were checked here.
  const challenges = signatureChallenges([...layout.transfers, ...layout.members], data);
  const chains = nextChains(layout.members);
  const touched = Array.from({ length: Math.ceil(tree.touched.length / TOUCHED_BITS) }, (_, c) =>
    tree.touched
      .slice(c * TOUCHED_BITS, (c + 1) * TOUCHED_BITS)
      .reduce((sum, isTouched, i) => sum | (BigInt(isTouched) << BigInt(i)), 0n),
  );
  return [
    ...absorbedPosted(data),
    // Cores and payloads of the table's slots are in their challenges.
    layout.midRoot,
    ...touched,
    ...challenges.slice(0, layout.transfers.length),
    ...challenges.slice(layout.transfers.length).flatMap((each, i) => [each, chains[i]!]),
    ...sideBySide(
      layout.members.map(({ surplusWei, gap }) => surplusWei | (BigInt(gap) << 64n)),
      { width: 75, count: 3 },
    ),
    ...layout.rows.flatMap((row) => [row.oldSub, row.newSub]),
    ...sideBySide(layout.rows.map(packedRow), { width: 38, count: 6 }),
    ...layout.units.flatMap((unit) => [packedUnit(unit), unit.state[0], ...unitRests(unit)]),
  ];
}

import type { BatchEvent } from "@openledger/bridge/l1/l1-history";
import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { describe, expect, test } from "vitest";
import { isSameOperation, postedOperations } from "./posted-operations.ts";
import { type OrderedSlot, orderSlots } from "./table-positions.ts";

const FIRST = 5;
const ANN_NONCE = 7;
const signature = { r8x: 0n, r8y: 0n, s: 0n };

function operation(kind: number, nonce: number, b: number, words: bigint[] = [], a = 2): SignedOperation {
  return { kind, a, b, amountCode: 9n, words, nonce: BigInt(nonce), maxFeePerUnitWei: 1n, signature };
}

/** Operations in the order of their arrival: on L1 the transfers stand before the commit. */
const taken = [
  operation(KIND.transfer, 7, 3),
  operation(KIND.commitData, 8, 4, [1n]),
  operation(KIND.transfer, 9, 5),
  operation(KIND.transfer, 10, 3),
] as const;

function postedOf(
  operations: readonly SignedOperation[],
  promised: readonly (SignedOperation | null)[],
  { wide = [] as readonly SignedOperation[] } = {},
) {
  const record = ({ kind, a, b, amountCode, words }: SignedOperation): SlotRecord => ({
    kind,
    a,
    b,
    amountCode,
    words,
    isValid: false,
  });
  const sections = [
    ...operations.filter(({ kind }) => kind === KIND.transfer),
    ...operations.filter(({ kind }) => kind !== KIND.transfer),
  ];
  const table = { members: 4, rows: 8, units: 2, low: 1, top: 1 };
  const batch = {
    batchNumber: 1n,
    firstOpIndex: BigInt(FIRST),
    wide: wide.map(record),
    narrow: sections.map(record),
    shape: { narrow: 8, wide: 2, table },
  };
  const event = { batch, blockNumber: 1, l1TransactionHash: "0x1" } as unknown as BatchEvent;
  const nonceOf = new Map([[2, ANN_NONCE]]);
  const posted = postedOperations(event, nonceOf, (position) =>
    promised.slice(position - FIRST, position - FIRST + 1).filter((one) => one !== null),
  );
  const signed = [...operations, ...wide.filter(({ kind }) => kindRule(kind)!.isSigned)];
  expect(posted.map(({ opIndex }) => opIndex)).toEqual(signed.map((_, i) => FIRST + i));
  expect(new Set(posted.map(({ a, nonce }) => `${a}/${nonce}`)).size).toBe(signed.length);
  return promised.map((one, i) => one === null || isSameOperation(one, posted[i]!));
}

describe("postedOperations", () => {
  test("finds what was promised among the narrow slots of a table batch, whatever their order", () => {
    expect(postedOf(taken, taken)).toEqual([true, true, true, true]);
    expect(postedOf(taken, taken.slice(0, 2))).toEqual([true, true]);
  });

  test("does not find an operation that is not there, or under a nonce that was not used", () => {
    const other = operation(KIND.transfer, 9, 6);
    expect(postedOf(taken, taken.with(2, other))).toEqual([true, true, false, true]);
    expect(postedOf(taken, taken.with(0, operation(KIND.transfer, 6, 3)))).toEqual([false, true, true, true]);
    expect(postedOf(taken.with(1, other), taken)).toEqual([true, false, true, true]);
  });

  test("Attack: one operation serves one promise, and one nonce one operation", () => {
    const [first, , third] = taken;
    // Both promises are of nonce 7; L1 has one of them.
    const twice = [first, { ...third, nonce: 7n }] as const;
    expect(postedOf([first, third], twice)).toEqual([true, false]);
    expect(postedOf([first, third], [first, first])).toEqual([true, false]);
  });
});

describe("postedOperations of a table batch with wide slots", () => {
  const withdraw = (a: number) => operation(KIND.withdraw, a === 2 ? ANN_NONCE + 1 : 0, 0, [99n, 1n], a);
  const [carol, dan] = [withdraw(20), withdraw(21)];
  const [first, second] = [operation(KIND.transfer, 7, 3), operation(KIND.transfer, 8, 3)] as const;

  test("finds narrow operations that came after wide ones, which keep their order", () => {
    const narrow = [first, second];
    for (const order of [
      [first, carol, second, dan],
      [carol, dan, first, second],
      [carol, null, null, dan],
      [null, null, carol, dan],
      [null, carol, null, null],
    ])
      expect(postedOf(narrow, order, { wide: [carol, dan] })).toEqual([true, true, true, true]);
  });

  test("Attack: wide slots in another order than promised", () => {
    expect(postedOf([first, second], [first, carol, second, dan], { wide: [dan, carol] })).toEqual([
      true,
      false,
      true,
      false,
    ]);
    // Before the second wide slot there has to be a position for the first, and behind the first one for the second.
    expect(postedOf([first], [carol], { wide: [dan, carol] })).toEqual([false]);
    expect(postedOf([first], [null, null, dan], { wide: [dan, carol] })).toEqual([true, true, false]);
    expect(postedOf([first], [null, first, carol], { wide: [dan, carol] })).toEqual([true, true, true]);
    expect(postedOf([first], [first, carol], { wide: [dan, carol] })).toEqual([true, false]);
  });

  test("Attack: a narrow operation before a wide one of the same leaf, though it was promised behind it", () => {
    const [own, after] = [withdraw(2), operation(KIND.transfer, 7, 3)];
    expect(postedOf([after], [after, own], { wide: [own] })).toEqual([true, true]);
    expect(postedOf([after], [own, after], { wide: [own] })).toEqual([false, false]);
    // The same where only one of the two was promised: the other has no position left.
    expect(postedOf([after], [null, after], { wide: [own] })).toEqual([true, false]);
    expect(postedOf([after], [own], { wide: [own] })).toEqual([false]);
    // An unsigned slot has no position, but the wide ones behind it come after it.
    const close = operation(KIND.forcedCloseEpoch, 0, 3, [], 0);
    expect(postedOf([after], [carol, after], { wide: [close, carol] })).toEqual([false, false]);
    expect(postedOf([after], [carol, after], { wide: [carol, close] })).toEqual([true, true]);
  });

  test("Attack: one wide slot for two promises", () => {
    expect(postedOf([first], [carol, carol, first], { wide: [carol, dan] })).toEqual([true, false, true]);
  });
});

describe("orderSlots", () => {
  test("finds an order wherever one exists, against all orders of small batches", () => {
    const random = new TestRandom(1);
    const seen = { possible: 0, impossible: 0 };
    for (let round = 0; round < 300; round++) {
      const wideCount = random.below(4);
      const deadlines = Array.from({ length: random.below(4) }, () => random.below(wideCount + 1));
      const rules = { deadlines, wideCount };
      const slots = [
        ...deadlines.map((_, index): OrderedSlot => ({ section: "narrow", index })),
        ...Array.from({ length: wideCount }, (_, index): OrderedSlot => ({ section: "wide", index })),
      ];
      const orders = permutations(slots).filter((order) => isAllowed(order, deadlines));
      const fixed = new Map<number, OrderedSlot>();
      const left = [...slots];
      for (const position of slots.keys())
        if (random.below(2) === 0) fixed.set(position, left.splice(random.below(left.length), 1)[0]!);
      const agrees = (order: readonly OrderedSlot[]) =>
        [...fixed].every(([position, slot]) => nameOf(order[position]!) === nameOf(slot));
      const found = orderSlots(rules, fixed);
      expect(found !== null).toBe(orders.some(agrees));
      if (found !== null) expect(isAllowed(found, deadlines) && agrees(found)).toBe(true);
      seen[found === null ? "impossible" : "possible"] += 1;
    }
    expect(Math.min(seen.possible, seen.impossible)).toBeGreaterThan(50);
  });
});

const nameOf = ({ index, section }: OrderedSlot) => `${section} ${index}`;

function isAllowed(order: readonly OrderedSlot[], deadlines: readonly number[]): boolean {
  const names = order.map(nameOf);
  const wide = order.filter(({ section }) => section === "wide").map(({ index }) => index);
  return (
    new Set(names).size === names.length &&
    wide.every((index, i) => index === i) &&
    deadlines.every((deadline, i) => {
      const limit = names.indexOf(`wide ${deadline}`);
      return limit < 0 || names.indexOf(`narrow ${i}`) < limit;
    })
  );
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((one, i) => permutations(items.toSpliced(i, 1)).map((rest) => [one, ...rest]));
}

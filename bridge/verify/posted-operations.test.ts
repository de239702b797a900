import { describe, expect, test } from "vitest";
import type { SlotRecord } from "../../circuits/batch/batch-data.ts";
import type { SignedOperation } from "../../circuits/ledger/operation.ts";
import { KIND } from "../../circuits/protocol.ts";
import type { BatchEvent } from "../l1/l1-history.ts";
import { isSameOperation, postedOperations } from "./posted-operations.ts";

const FIRST = 5;
const ANN_NONCE = 7;
const signature = { r8x: 0n, r8y: 0n, s: 0n };

function operation(kind: number, nonce: number, b: number, words: bigint[] = []): SignedOperation {
  return { kind, a: 2, b, amountCode: 9n, words, nonce: BigInt(nonce), maxFeePerUnitWei: 1n, signature };
}

/** As they were taken: the transfers stand before the commit on L1. */
const taken = [
  operation(KIND.transfer, 7, 3),
  operation(KIND.commitData, 8, 4, [1n]),
  operation(KIND.transfer, 9, 5),
  operation(KIND.transfer, 10, 3),
] as const;

function postedOf(
  operations: readonly SignedOperation[],
  promised: readonly SignedOperation[],
  isTable = true,
) {
  const record = ({ kind, a, b, amountCode, words }: SignedOperation): SlotRecord => ({
    ...{ kind, a, b, amountCode, words },
    isValid: false,
  });
  const sections = [
    ...operations.filter(({ kind }) => kind === KIND.transfer),
    ...operations.filter(({ kind }) => kind !== KIND.transfer),
  ];
  const table = { members: 4, rows: 8, units: 2, low: 1, top: 1 };
  const batch = {
    ...{ batchNumber: 1n, firstOpIndex: BigInt(FIRST), wide: [] },
    narrow: sections.map(record),
    shape: { narrow: 8, wide: 2, ...(isTable ? { table } : {}) },
  };
  const event = { batch, blockNumber: 1, l1TransactionHash: "0x1" } as unknown as BatchEvent;
  const nonceOf = new Map([[2, ANN_NONCE]]);
  const posted = postedOperations(event, nonceOf, (place) =>
    promised.slice(place - FIRST, place - FIRST + 1),
  );
  expect(nonceOf.get(2)).toBe(ANN_NONCE + operations.length);
  expect(posted.map(({ opIndex }) => opIndex)).toEqual(operations.map((_, i) => FIRST + i));
  expect(new Set(posted.map(({ nonce }) => nonce)).size).toBe(operations.length);
  return promised.map((one, i) => isSameOperation(one, posted[i]!));
}

describe("postedOperations", () => {
  test("finds what was promised among the narrow slots of a table batch, whatever their order", () => {
    expect(postedOf(taken, taken)).toEqual([true, true, true, true]);
    expect(postedOf(taken, taken.slice(0, 2))).toEqual([true, true]);
  });

  test("keeps the slots' order in batches without a table", () => {
    expect(postedOf(taken, taken, false)).toEqual([true, false, false, false]);
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

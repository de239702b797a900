/**
 * Lists the signed operations of a batch, as L1 holds them, with their numbers ("places") among all signed ones; checks of
 * preconfirmations compare with them.
 *
 * A batch's slots do not stand in the order in which the sequencer took the operations: narrow ones
 * stand by sections, before all wide ones. L1 shows that the operations have the batch's places, and no more than
 * table-positions.ts says. A promised operation is given its promised place where that can be; the others fill what is left.
 */

import type { BatchEvent } from "@openledger/bridge/l1/l1-history";
import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { kindRule } from "@openledger/circuits/protocol";
import type { Hex } from "viem";
import { type OrderedSlot, orderSlots } from "./table-positions.ts";

/** Signed operation on L1. */
export interface PostedOperation {
  readonly opIndex: number;
  readonly batchNumber: number;
  readonly kind: string;
  readonly a: number;
  /** 0 if the kind has no B; the new leaf's id for a Create. */
  readonly b: number;
  readonly amountCode: bigint;
  readonly words: readonly bigint[];
  /** A's signed operations before it. */
  readonly nonce: number;
  readonly transactionHash: Hex;
  readonly blockNumber: number;
}

/** Fields of a signed operation that L1 shows. */
export type PromisedOperation = Pick<SignedOperation, "kind" | "a" | "b" | "amountCode" | "words" | "nonce">;

/** Operations that were promised for a position. */
export type Promised = (opIndex: number) => readonly PromisedOperation[];

/**
 * Lists the signed operations of a batch in their order. `nonceOf` has each leaf's nonce, and counts on.
 * @param promised returns the promises for a position
 */
export function postedOperations(
  event: BatchEvent,
  nonceOf: Map<number, number>,
  promised: Promised = () => [],
): PostedOperation[] {
  const { batch, blockNumber, l1TransactionHash: transactionHash } = event;
  const batchNumber = Number(batch.batchNumber);
  let opIndex = Number(batch.firstOpIndex);
  const operationsOf = (records: readonly SlotRecord[]) =>
    records.flatMap((record): PostedOperation[] => {
      const rule = kindRule(record.kind);
      if (!rule?.isSigned) return [];
      const nonce = nonceOf.get(record.a) ?? 0;
      nonceOf.set(record.a, nonce + 1);
      const { a, amountCode, b, words } = record;
      const facts = { opIndex: opIndex++, batchNumber, nonce, transactionHash, blockNumber };
      return [{ ...facts, kind: rule.name, a, b, amountCode, words }];
    });
  const narrow = operationsOf(batch.narrow);
  const wide = operationsOf(batch.wide);
  const firstOpIndex = Number(batch.firstOpIndex);
  return orderedByPromises(
    { firstOpIndex, narrow, wide, deadlines: deadlinesOf(narrow, batch.wide) },
    promised,
  );
}

/**
 * Number of signed wide slots before the first wide slot that names one of a narrow slot's leaves, for each
 * narrow slot.
 */
function deadlinesOf(narrow: readonly PostedOperation[], records: readonly SlotRecord[]): number[] {
  const firstOf = new Map<number, number>();
  let signedCount = 0;
  for (const { a, b, kind } of records) {
    for (const id of [a, b]) if (!firstOf.has(id)) firstOf.set(id, signedCount);
    if (kindRule(kind)?.isSigned) signedCount += 1;
  }
  return narrow.map(({ a, b }) => Math.min(firstOf.get(a) ?? signedCount, firstOf.get(b) ?? signedCount));
}

interface TableSlots {
  readonly firstOpIndex: number;
  /** Slots without positions yet. The narrow ones have no nonces yet either. */
  readonly narrow: readonly PostedOperation[];
  readonly wide: readonly PostedOperation[];
  readonly deadlines: readonly number[];
}

/**
 * Places each promised operation that is there in its place and under its nonce, if that is possible; each
 * place, and each nonce, once.
 */
function orderedByPromises(slots: TableSlots, promised: Promised): PostedOperation[] {
  // An honest sequencer keeps all promises. Only if that is impossible does the order of the promises matter.
  const { promises, order } = keepPromises(slots, promised, false) ?? keepPromises(slots, promised, true)!;
  const { firstOpIndex, narrow } = slots;
  const nonces = new Set(narrow.map(nonceKey));
  for (const { nonce, slot } of promises.values())
    if (slot.section === "narrow") nonces.delete(nonceKey({ a: narrow[slot.index]!.a, nonce }));
  const restNonces = [...nonces];
  return order.map((slot, position): PostedOperation => {
    const opIndex = firstOpIndex + position;
    const posted = slots[slot.section][slot.index]!;
    if (slot.section === "wide") return { ...posted, opIndex };
    const known = promises.get(position);
    if (known !== undefined) return { ...posted, opIndex, nonce: known.nonce };
    const at = restNonces.findIndex((key) => key.startsWith(`${posted.a}/`));
    return { ...posted, opIndex, nonce: Number(restNonces.splice(at, 1)[0]!.split("/")[1]) };
  });
}

/**
 * Finds an order of the slots that keeps the promises.
 * @param isOneByOne keeps each promise that agrees with those before it; else all that name a slot, or none
 * @returns null if not all can be kept
 */
function keepPromises(slots: TableSlots, promised: Promised, isOneByOne: boolean) {
  const { deadlines, firstOpIndex, narrow, wide } = slots;
  const wideLeft = new Set(wide.keys());
  const left = new Map<number, Set<number>>();
  for (const [index, { a }] of narrow.entries()) left.set(a, (left.get(a) ?? new Set()).add(index));
  const nonces = new Set(narrow.map(nonceKey));
  const find = (operation: PromisedOperation): OrderedSlot | null => {
    const { a } = operation;
    const nonce = Number(operation.nonce);
    for (const index of wideLeft)
      if (isSameOperation(operation, wide[index]!)) return { section: "wide", index };
    if (!nonces.has(nonceKey({ a, nonce }))) return null;
    for (const index of left.get(a) ?? [])
      if (isSameOperation(operation, { ...narrow[index]!, nonce })) return { section: "narrow", index };
    return null;
  };
  const sizes = { deadlines, wideCount: wide.length };
  const promises = new Map<number, { slot: OrderedSlot; nonce: number }>();
  const fixed = new Map<number, OrderedSlot>();
  for (let position = 0; position < narrow.length + wide.length; position++) {
    for (const operation of promised(firstOpIndex + position)) {
      const slot = find(operation);
      if (slot === null) continue;
      fixed.set(position, slot);
      if (isOneByOne && orderSlots(sizes, fixed) === null) {
        fixed.delete(position);
        continue;
      }
      const nonce = Number(operation.nonce);
      promises.set(position, { slot, nonce });
      if (slot.section === "wide") wideLeft.delete(slot.index);
      else {
        left.get(operation.a)!.delete(slot.index);
        nonces.delete(nonceKey({ a: operation.a, nonce }));
      }
      break;
    }
  }
  const order = orderSlots(sizes, fixed);
  return order === null ? null : { promises, order };
}

const nonceKey = ({ a, nonce }: { a: number; nonce: number }) => `${a}/${nonce}`;

/** True if the posted operation is this one. */
export function isSameOperation(operation: PromisedOperation, posted: PostedOperation): boolean {
  const rule = kindRule(operation.kind)!;
  return (
    posted.kind === rule.name &&
    posted.a === operation.a &&
    (rule.isCreate || posted.b === operation.b) &&
    posted.amountCode === operation.amountCode &&
    BigInt(posted.nonce) === operation.nonce &&
    operation.words.length === posted.words.length &&
    operation.words.every((word, i) => word === posted.words[i])
  );
}

/**
 * The signed operations of a batch, as L1 holds them, with their places among all signed ones.
 *
 * The narrow slots of a batch with a leaf table are applied at once and stand by sections, not in the order in which the
 * sequencer took them. So their places and nonces are not the slots': any order of them is one that the proof allows. A
 * promised operation that is among them is given its promised place; the others fill what is left.
 */
import type { Hex } from "viem";
import type { SlotRecord } from "../../circuits/batch/batch-data.ts";
import type { SignedOperation } from "../../circuits/ledger/operation.ts";
import { kindRule } from "../../circuits/protocol.ts";
import type { BatchEvent } from "../l1/l1-history.ts";

/** A signed operation as L1 holds it. */
export interface PostedOperation {
  readonly opIndex: number;
  readonly batchNumber: number;
  readonly kind: string;
  readonly a: number;
  /** 0 where the kind has no B; the new leaf's id for a Create. */
  readonly b: number;
  readonly amountCode: bigint;
  readonly words: readonly bigint[];
  /** A's signed operations before it. */
  readonly nonce: number;
  readonly transactionHash: Hex;
  readonly blockNumber: number;
}

/** What was promised for a place. */
export type Promised = (opIndex: number) => readonly SignedOperation[];

/**
 * The signed operations of a batch in their order. `nonceOf` counts a leaf's, and goes on with each.
 * @param promised asked of the narrow slots of batches with a leaf table
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
  return [
    ...(batch.shape.table === undefined ? narrow : placedAtOnce(narrow, promised)),
    ...operationsOf(batch.wide),
  ];
}

/** Each promised operation that is there in its place and under its nonce; each place, and each nonce, once. */
function placedAtOnce(slots: readonly PostedOperation[], promised: Promised): PostedOperation[] {
  const left = new Set(slots);
  const nonces = new Set(slots.map(nonceKey));
  const placed = slots.map(({ opIndex }): PostedOperation | null => {
    for (const operation of promised(opIndex)) {
      const nonce = Number(operation.nonce);
      const found = nonces.has(nonceKey({ a: operation.a, nonce }))
        ? [...left].find((slot) => isSameOperation(operation, { ...slot, nonce }))
        : undefined;
      if (found === undefined) continue;
      left.delete(found);
      nonces.delete(nonceKey({ a: operation.a, nonce }));
      return { ...found, opIndex, nonce };
    }
    return null;
  });
  const rest = [...left];
  const restNonces = [...nonces];
  return placed.map((one, i) => {
    if (one !== null) return one;
    const slot = rest.shift()!;
    const at = restNonces.findIndex((key) => key.startsWith(`${slot.a}/`));
    const nonce = Number(restNonces.splice(at, 1)[0]!.split("/")[1]);
    return { ...slot, opIndex: slots[i]!.opIndex, nonce };
  });
}

const nonceKey = ({ a, nonce }: { a: number; nonce: number }) => `${a}/${nonce}`;

/** Whether L1 has this operation there. */
export function isSameOperation(operation: SignedOperation, posted: PostedOperation): boolean {
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

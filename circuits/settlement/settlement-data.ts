/**
 * What a settlement posts, the elements that L1 evaluates, and the vector that C commits to (docs/reference/settlement.md).
 * Amounts are wei.
 */
import { circuitError } from "../circuit-errors.ts";
import { challenge, dataCommitment, evaluate, fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import type { Payee } from "../ledger/rewards.ts";
import { FIELD_ORDER, MAX_PAYEE_COUNT } from "../protocol.ts";

/**
 * The second word of a circuit's id; then follow two sizes: (narrow, wide), (payments, payees), (0, payees), and of exits
 * (0, 0) for a leaf, (1, payees) for a payee.
 */
export const CIRCUIT_SORT = { batch: 0, settlement: 1, payeeTable: 2, exit: 3 } as const;

/** What anyone who settles posts. */
export interface PostedSettlement {
  /** Activation: epoch, closingBatch, voidCount, burnedWei and chain are 0. */
  readonly epoch: bigint;
  readonly closingBatch: bigint;
  readonly voidCount: number;
  readonly burnedWei: bigint;
  /** Activation: index of the settlement circuit that gives the cap; else 0. */
  readonly capCircuit: number;
  readonly chain: bigint;
  /** One a payee, 96 bits: what it earned, in wei; in an activation `packActivationItem`. May end in one absent payee, 0. */
  readonly items: readonly bigint[];
}

/** What L1 fills from its own state and from the record that takes the settlement. */
export interface L1Settlement {
  /** J: the record's word. */
  readonly settlementHash: bigint;
  readonly modelId: number;
  readonly isActivation: boolean;
  /** Activation: most payments an epoch, from the circuit that `capCircuit` names; else 0. */
  readonly cap: number;
  /** 128 bits; 0 for the default split and an activation. */
  readonly seed: bigint;
}

export interface SettlementData extends PostedSettlement, L1Settlement {}

const ITEM_BITS = 96n;
/** Elements of E before the items. */
const HEAD_ELEMENT_COUNT = 5;
/** Bytes before the item elements. */
const WIRE_HEAD_BYTES = 54;
const ITEM_ELEMENT_BYTES = 24;

/** An activation's item: contributor 24 | validator 24 | row count 32. */
export function packActivationItem(payee: Payee): bigint {
  return BigInt(payee.contributorId) | (BigInt(payee.validatorId) << 24n) | (BigInt(payee.rowCount) << 48n);
}

/** The payee table that an activation posts: every payee has a row, so items of 0 are absent ones. */
export function activationPayees(items: readonly bigint[]): Payee[] {
  return items
    .filter((item) => item !== 0n)
    .map((item) => ({
      contributorId: Number(item & 0xffffffn),
      validatorId: Number((item >> 24n) & 0xffffffn),
      rowCount: Number(item >> 48n),
    }));
}

/** Two items an element, the even payee low. */
function itemElements(items: readonly bigint[]): bigint[] {
  return Array.from(
    { length: Math.ceil(items.length / 2) },
    (_, i) => items[2 * i]! | ((items[2 * i + 1] ?? 0n) << ITEM_BITS),
  );
}

/** E: what L1 evaluates. @throws CIR_WIRE_MALFORMED */
export function settlementElements(data: SettlementData): bigint[] {
  const elements = [
    data.settlementHash,
    BigInt(data.modelId) |
      (data.epoch << 24n) |
      (data.closingBatch << 48n) |
      (BigInt(data.voidCount) << 88n) |
      (BigInt(data.isActivation) << 96n),
    data.chain,
    data.burnedWei | (BigInt(data.cap) << 96n),
    data.seed,
    ...itemElements(data.items),
  ];
  const place = elements.findIndex((element) => element < 0n || element >= FIELD_ORDER);
  if (place >= 0) {
    throw circuitError("CIR_WIRE_MALFORMED", `element ${place} is not below r`, {
      data: { reason: "element-not-canonical", place, element: elements[place]!.toString() },
    });
  }
  return elements;
}

/**
 * The vector that C commits to: E with a place for every payee of the circuit, then what a challenge must not precede.
 * @throws CIR_SETTLEMENT_SIZE where the data has more items than the circuit has payees
 */
export function settlementVector(
  data: SettlementData,
  payeeCount: number,
  privateElements: readonly bigint[],
): bigint[] {
  const elements = settlementElements(data);
  const absentCount = HEAD_ELEMENT_COUNT + Math.ceil(payeeCount / 2) - elements.length;
  if (absentCount < 0) {
    throw circuitError("CIR_SETTLEMENT_SIZE", `${data.items.length} items, for ${payeeCount} payees`, {
      data: { what: "payees", given: data.items.length, most: payeeCount },
    });
  }
  return [...elements, ...Array<bigint>(absentCount).fill(0n), ...privateElements];
}

/** The public signals of a settlement's proof, in the circuit's order; amounts and places as in `settlementVector`. */
export function settlementStatement(
  data: SettlementData,
  payeeCount: number,
  privateElements: readonly bigint[],
  circuitId: bigint,
): { readonly commitment: bigint; readonly y: bigint; readonly z: bigint } {
  const commitment = dataCommitment(settlementVector(data, payeeCount, privateElements));
  const elements = settlementElements(data);
  const z = challenge(circuitId, commitment, elements);
  return { commitment, z, y: evaluate(elements, z) };
}

/** A settlement's data as it is posted to L1. */
export function encodeSettlement(posted: PostedSettlement): Uint8Array {
  const items = itemElements(posted.items);
  const head: [value: bigint, byteCount: number][] = [
    [posted.epoch, 3],
    [posted.closingBatch, 5],
    [BigInt(posted.voidCount), 1],
    [posted.burnedWei, 12],
    [BigInt(posted.capCircuit), 1],
    [posted.chain, 32],
    ...items.map((item): [bigint, number] => [item, ITEM_ELEMENT_BYTES]),
  ];
  const wire = new Uint8Array(WIRE_HEAD_BYTES + ITEM_ELEMENT_BYTES * items.length);
  let at = 0;
  for (const [value, byteCount] of head) {
    wire.set(toBytesBe(value, byteCount), at);
    at += byteCount;
  }
  return wire;
}

/**
 * What posted bytes say. The number of items is even.
 * @throws CIR_WIRE_MALFORMED for bytes that the contract refuses too
 */
export function decodeSettlement(wire: Uint8Array): PostedSettlement {
  const itemBytes = wire.length - WIRE_HEAD_BYTES;
  const elementCount = itemBytes / ITEM_ELEMENT_BYTES;
  if (itemBytes < 0 || !Number.isInteger(elementCount) || elementCount > MAX_PAYEE_COUNT / 2) {
    throw circuitError("CIR_WIRE_MALFORMED", `a settlement has no ${wire.length} bytes`, {
      data: { sizeBytes: wire.length },
    });
  }
  let at = 0;
  const take = (byteCount: number): bigint => {
    at += byteCount;
    return fromBytesBe(wire.subarray(at - byteCount, at));
  };
  const head = {
    epoch: take(3),
    closingBatch: take(5),
    voidCount: Number(take(1)),
    burnedWei: take(12),
    capCircuit: Number(take(1)),
    chain: take(32),
  };
  const items = Array.from({ length: elementCount }, () => take(ITEM_ELEMENT_BYTES)).flatMap((element) => [
    element & ((1n << ITEM_BITS) - 1n),
    element >> ITEM_BITS,
  ]);
  return { ...head, items };
}

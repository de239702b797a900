/**
 * What a settlement posts, the elements that L1 evaluates, and the vector that C commits to (docs/reference/settlement.md).
 * Amounts are wei.
 */
import { circuitError } from "../circuit-errors.ts";
import { challenge, dataCommitment, evaluate, fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import type { Payee } from "../ledger/rewards.ts";
import { FIELD_ORDER, MAX_PAYEE_COUNT } from "../protocol.ts";
import { packed } from "./settlement-size.ts";

/**
 * The second word of a circuit's id; then follow two sizes: (narrow, wide), (payments, payees), (0, payees), of exits
 * (0, 0) for a leaf, (1, payees) for a payee, (payments, shards), (0, payees) for a shard.
 */
export const CIRCUIT_SORT = {
  ...{ batch: 0, settlement: 1, payeeTable: 2, exit: 3, shardedSettlement: 4, shard: 5 },
} as const;

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
  /** One a payee: the quanta that it earned, 40 bits; in an activation `packActivationItem`. May end in absent payees, 0. */
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

const ELEMENT_BITS = 240;
/** Bits of an item: six quanta an element, or three payees of an activation. */
const itemBits = (isActivation: boolean): number => (isActivation ? 80 : 40);
/** Elements of E before the items. */
const HEAD_ELEMENT_COUNT = 5;
/** Bytes before the item elements. */
const WIRE_HEAD_BYTES = 54;
const ITEM_ELEMENT_BYTES = 30;

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

/** Whether the items are an activation's: it closes nothing, and no batch of number 0 does. */
const hasPayees = ({ closingBatch }: Pick<PostedSettlement, "closingBatch">): boolean => closingBatch === 0n;

/** The first item of each element low. */
function itemElements(items: readonly bigint[], isActivation: boolean): bigint[] {
  return packed(items, itemBits(isActivation), ELEMENT_BITS);
}

/** Whether no item element is beyond those of so many payees: L1 takes no more. */
export function fitsElements(posted: PostedSettlement, payeeCount: number): boolean {
  const isActivation = hasPayees(posted);
  const elementCount = itemElements(posted.items, isActivation).length;
  return elementCount <= elementsOf(payeeCount, isActivation);
}

/** Elements that so many payees take. */
const elementsOf = (payeeCount: number, isActivation: boolean): number =>
  Math.ceil((payeeCount * itemBits(isActivation)) / ELEMENT_BITS);

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
    ...itemElements(data.items, data.isActivation),
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
  // A payee table has room for an activation.
  const places = elementsOf(payeeCount, privateElements.length === 0);
  const absentCount = HEAD_ELEMENT_COUNT + places - elements.length;
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
  const items = itemElements(posted.items, hasPayees(posted));
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
 * What posted bytes say, with items of 0 up to the end of the last element.
 * @throws CIR_WIRE_MALFORMED for bytes that the contract refuses too
 */
export function decodeSettlement(wire: Uint8Array): PostedSettlement {
  const itemBytes = wire.length - WIRE_HEAD_BYTES;
  const elementCount = itemBytes / ITEM_ELEMENT_BYTES;
  const malformed = () =>
    circuitError("CIR_WIRE_MALFORMED", `a settlement has no ${wire.length} bytes`, {
      data: { sizeBytes: wire.length },
    });
  if (itemBytes < 0 || !Number.isInteger(elementCount)) throw malformed();
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
  const isActivation = hasPayees(head);
  if (elementCount > elementsOf(MAX_PAYEE_COUNT, isActivation)) throw malformed();
  const width = itemBits(isActivation);
  const items = Array.from({ length: elementCount }, () => take(ITEM_ELEMENT_BYTES)).flatMap((element) =>
    Array.from({ length: ELEMENT_BITS / width }, (_, i) =>
      BigInt.asUintN(width, element >> BigInt(width * i)),
    ),
  );
  return { ...head, items };
}

/**
 * Posted data of a settlement: the elements that L1 evaluates, and the vector that C commits to
 * (docs/reference/settlement.md). Amounts are wei. Settlers encode it; sequencer, contract and readers of L1
 * decode it.
 */
import { circuitError } from "../circuit-errors.ts";
import { challenge, dataCommitment, evaluate, fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import type { Payee } from "../ledger/rewards.ts";
import { FIELD_ORDER, MAX_PAYEE_COUNT, SHARD_COUNT_MAX } from "../protocol.ts";
import { packed, sizeError } from "./settlement-size.ts";

/**
 * Sort of a circuit: the second word of its id. Two sizes follow it, as each line says. Payees are those of one shard.
 */
export const CIRCUIT_SORT = {
  /** Narrow slots, wide slots. */
  batch: 0,
  /** Payments, payees. */
  settlement: 1,
  /** 0, payees. */
  payeeTable: 2,
  /** 0, 0 for the exit of a leaf; 1, payees for that of a payee. */
  exit: 3,
  /** Payments, shards. */
  shardedSettlement: 4,
  /** 0, payees. */
  shard: 5,
} as const;

/** Data posted by anyone who settles. */
export interface PostedSettlement {
  /** Activation: epoch, closingBatch, voidCount, burnedWei and chain are 0. */
  readonly epoch: bigint;
  readonly closingBatch: bigint;
  readonly voidCount: number;
  readonly burnedWei: bigint;
  /** Index of the settlement circuit that sets an activation's cap; else 0. */
  readonly capCircuit: number;
  /** Shards of the model: 1 … 8. */
  readonly shardCount: number;
  readonly chain: bigint;
  /** Links of each shard's proof to the proof of the draws (`shardLink`), for draws in several shards. */
  readonly links?: readonly bigint[];
  /** Earnings of each shard in wei, 96 bits, for payee tables of several shards; 0 in an activation. */
  readonly shardWei?: readonly bigint[];
  /**
   * One item a payee: the quanta that it earned, 40 bits; in an activation `packActivationItem`. Shard s
   * begins at 512 s. Absent payees, which follow each shard's last one, are 0.
   */
  readonly items: readonly bigint[];
  /**
   * Minimum item elements that each of several shards posts, because L1 hashes trailing zeros too. Default:
   * 1. `decodeEntries` sets it to the count in the bytes.
   */
  readonly elementCounts?: readonly number[];
}

/** Fields that L1 fills from its own state and from the record that takes the settlement. */
export interface L1Settlement {
  /** J: the record's word. */
  readonly settlementHash: bigint;
  readonly modelId: number;
  readonly isActivation: boolean;
  /** Maximum payments an epoch of an activated model, from the circuit that `capCircuit` names; else 0. */
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
/** Offset of the shard count in the header, in bytes. */
const SHARD_COUNT_AT = 22;
/** Bytes of a shard's earned wei, of a link and of an item element. */
const SHARD_WEI_BYTES = 12;
const LINK_BYTES = 32;
const ITEM_ELEMENT_BYTES = 30;

/** An activation's item: contributor 24 | validator 24 | row count 32. */
export function packActivationItem(payee: Payee): bigint {
  return BigInt(payee.contributorId) | (BigInt(payee.validatorId) << 24n) | (BigInt(payee.rowCount) << 48n);
}

/**
 * The payee table that an activation posts: every payee has a row, so items of 0 are absent ones. The last payee is
 * none.
 */
export function activationPayees(items: readonly bigint[]): Payee[] {
  return items.slice(0, items.findLastIndex((item) => item !== 0n) + 1).map((item) => ({
    contributorId: Number(item & 0xffffffn),
    validatorId: Number((item >> 24n) & 0xffffffn),
    rowCount: Number(item >> 48n),
  }));
}

/**
 * True if the items are an activation's. An activation closes no batch, and no closing batch has the number
 * 0.
 */
const hasPayees = ({ closingBatch }: Pick<PostedSettlement, "closingBatch">): boolean => closingBatch === 0n;

/** The first item of each element low. */
function itemElements(items: readonly bigint[], isActivation: boolean): bigint[] {
  return packed(items, itemBits(isActivation), ELEMENT_BITS);
}

/** The items of each shard. */
export function shardItems({ items, shardCount }: Pick<PostedSettlement, "items" | "shardCount">) {
  const from = (shard: number) => shard * MAX_PAYEE_COUNT;
  return Array.from({ length: shardCount }, (_, shard) =>
    items.slice(from(shard), shard === shardCount - 1 ? undefined : from(shard + 1)),
  );
}

/**
 * The item elements of each shard; of several none of zeros at the end beyond `elementCounts`, where the items go on
 * elsewhere.
 */
function shardElements(posted: PostedSettlement, isActivation: boolean): bigint[][] {
  const elements = shardItems(posted).map((items) => itemElements(items, isActivation));
  if (posted.shardCount === 1) return elements;
  return elements.map((own, shard) => {
    const last = own.findLastIndex((element) => element !== 0n);
    const length = Math.max(posted.elementCounts?.[shard] ?? 1, last + 1);
    return Array.from({ length }, (_, i) => own[i] ?? 0n);
  });
}

/** True if a shard has no more item elements than this many payees need: L1 accepts no more. */
export function fitsElements(posted: PostedSettlement, shard: number, payeeCount: number): boolean {
  const isActivation = hasPayees(posted);
  return shardElements(posted, isActivation)[shard]!.length <= elementsOf(payeeCount, isActivation);
}

/** Number of elements for this number of payees. */
const elementsOf = (payeeCount: number, isActivation: boolean): number =>
  Math.ceil((payeeCount * itemBits(isActivation)) / ELEMENT_BITS);

/** E of a settlement's first entry: of one shard its only one. @throws CIR_WIRE_MALFORMED */
export const settlementElements = (data: SettlementData): bigint[] => entryElements(data)[0]!;

/**
 * E of each entry, what L1 evaluates: one of a single shard; by draws in S shards the draws' and one a shard, by
 * payee tables one a shard.
 * @throws CIR_WIRE_MALFORMED
 */
export function entryElements(data: SettlementData): bigint[][] {
  const shards = shardElements(data, data.isActivation);
  const { links, shardCount, shardWei } = data;
  const fields =
    BigInt(data.modelId) |
    (data.epoch << 24n) |
    (data.closingBatch << 48n) |
    (BigInt(data.voidCount) << 88n) |
    (BigInt(data.isActivation) << 96n);
  const head = [
    data.settlementHash,
    fields,
    data.chain,
    data.burnedWei | (BigInt(data.cap) << 96n),
    data.seed,
  ];
  const shardHead = (shard: number) => {
    if (shardCount === 1) return head;
    const position = (BigInt(shard) << 100n) | (BigInt(shardCount) << 103n);
    return head.with(1, fields | position).with(4, shardWei![shard]! | (sumOf(shardWei!) << 96n));
  };
  requireShards(data);
  const entries =
    links === undefined
      ? shards.map((own, shard) => [...shardHead(shard), ...own])
      : [[...head, ...links], ...shards.map((own, shard) => [links[shard]!, ...own])];
  for (const elements of entries) requireCanonical(elements);
  return entries;
}

const sumOf = (values: readonly bigint[]) => values.reduce((sum, value) => sum + value, 0n);

/** Requires links or earned wei, one each, for several shards, and neither for one shard. */
function requireShards({ links, shardCount, shardWei }: PostedSettlement): void {
  const counts = [links?.length ?? shardCount, shardWei?.length ?? shardCount];
  const isFitting =
    shardCount === 1
      ? links === undefined && shardWei === undefined
      : (links === undefined) !== (shardWei === undefined);
  if (isFitting && counts.every((count) => count === shardCount) && shardCount <= SHARD_COUNT_MAX) return;
  throw malformedShards(`a settlement of ${shardCount} shards has not one link or sum for each`, shardCount);
}

const malformedShards = (message: string, shardCount: number) =>
  circuitError("CIR_WIRE_MALFORMED", message, { data: { reason: "shards", shardCount } });

function requireCanonical(elements: readonly bigint[]): void {
  const place = elements.findIndex((element) => element < 0n || element >= FIELD_ORDER);
  if (place < 0) return;
  throw circuitError("CIR_WIRE_MALFORMED", `element ${place} is not below r`, {
    data: { reason: "element-not-canonical", place, element: elements[place]!.toString() },
  });
}

/** Statement of the proof of one entry. */
export interface SettlementProof {
  /** Elements E that L1 evaluates. */
  readonly elements: readonly bigint[];
  /** Positions of E in the circuit: those after the elements are 0. */
  readonly placeCount: number;
  /** Elements that C absorbs after E, because they must be fixed before the challenge. */
  readonly privateElements: readonly bigint[];
}

/** Positions of E in the circuit of a settlement's first entry. @param isTable a payee table has room for an activation */
export const entryPositions = (payeeCount: number, isTable = false): number =>
  HEAD_ELEMENT_COUNT + elementsOf(payeeCount, isTable);

/** The vector that C commits to. @throws CIR_SETTLEMENT_SIZE if the elements are more than the circuit's places */
export function proofVector({ elements, placeCount, privateElements }: SettlementProof): bigint[] {
  const absentCount = placeCount - elements.length;
  if (absentCount < 0) throw sizeError("elements", elements.length, placeCount);
  return [...elements, ...Array<bigint>(absentCount).fill(0n), ...privateElements];
}

/** The public signals of a proof, in the circuit's order. @throws CIR_SETTLEMENT_SIZE */
export function proofStatement(
  proof: SettlementProof,
  circuitId: bigint,
): { readonly commitment: bigint; readonly y: bigint; readonly z: bigint } {
  const commitment = dataCommitment(proofVector(proof));
  const z = challenge(circuitId, commitment, proof.elements);
  return { commitment, z, y: evaluate(proof.elements, z) };
}

/** The posted data of a settlement of one shard. @throws CIR_WIRE_MALFORMED for one of several */
export function encodeSettlement(posted: PostedSettlement): Uint8Array {
  if (posted.shardCount === 1) return encodeEntries(posted)[0]!;
  throw malformedShards(`${posted.shardCount} shards do not fit one entry`, posted.shardCount);
}

/** The posted data of each entry, in the order of `entryElements`. @throws CIR_WIRE_MALFORMED */
export function encodeEntries(posted: PostedSettlement): Uint8Array[] {
  requireShards(posted);
  const { links, shardWei } = posted;
  const head: WireField[] = [
    [posted.epoch, 3],
    [posted.closingBatch, 5],
    [BigInt(posted.voidCount), 1],
    [posted.burnedWei, 12],
    [BigInt(posted.capCircuit), 1],
    [BigInt(posted.shardCount), 1],
    [posted.chain, 32],
  ];
  const shards = shardElements(posted, hasPayees(posted)).map((elements, shard): WireField[] => [
    ...(shardWei === undefined ? [] : [[shardWei[shard]!, SHARD_WEI_BYTES] as const]),
    ...elements.map((item): WireField => [item, ITEM_ELEMENT_BYTES]),
  ]);
  const entries =
    links === undefined
      ? [[...head, ...shards[0]!], ...shards.slice(1)]
      : [[...head, ...links.map((link): WireField => [link, LINK_BYTES])], ...shards];
  return entries.map(encodeFields);
}

type WireField = readonly [value: bigint, byteCount: number];

function encodeFields(fields: readonly WireField[]): Uint8Array {
  const wire = new Uint8Array(fields.reduce((sum, [, byteCount]) => sum + byteCount, 0));
  let at = 0;
  for (const [value, byteCount] of fields) {
    wire.set(toBytesBe(value, byteCount), at);
    at += byteCount;
  }
  return wire;
}

/**
 * Number of entries in the settlement that begins with this one, as L1 counts them.
 * @param isByDraws true if a circuit of draws proves it, false for payee tables
 * @throws CIR_WIRE_MALFORMED
 */
export function entryCount(first: Uint8Array, isByDraws: boolean): number {
  const shardCount = first[SHARD_COUNT_AT];
  if (shardCount === undefined || shardCount === 0 || shardCount > SHARD_COUNT_MAX)
    throw malformedShards(`a settlement has no ${shardCount} shards`, shardCount ?? 0);
  return isByDraws && shardCount > 1 ? shardCount + 1 : shardCount;
}

/**
 * Decodes the only entry of a settlement of one shard. @throws CIR_WIRE_MALFORMED, also if it has more
 * entries
 */
export const decodeSettlement = (wire: Uint8Array): PostedSettlement => decodeEntries([wire]);

/**
 * Decodes the posted bytes of all entries. Items of 0 fill up the last element.
 * @throws CIR_WIRE_MALFORMED for bytes that the contract refuses too
 */
export function decodeEntries(wires: readonly Uint8Array[]): PostedSettlement {
  const readers = wires.map((wire) => new WireReader(wire));
  const first = readers[0];
  if (first === undefined) throw malformedShards("a settlement has an entry", 0);
  const { shardCount, ...fields } = {
    epoch: first.take(3),
    closingBatch: first.take(5),
    voidCount: Number(first.take(1)),
    burnedWei: first.take(12),
    capCircuit: Number(first.take(1)),
    shardCount: Number(first.take(1)),
  };
  const head = { ...fields, shardCount, chain: first.take(32) };
  const isByDraws = shardCount > 1 && wires.length === shardCount + 1;
  if (entryCount(wires[0]!, isByDraws) !== wires.length)
    throw malformedShards(`${wires.length} entries are not those of ${shardCount} shards`, shardCount);
  const isActivation = hasPayees(head);
  if (shardCount === 1) return { ...head, items: first.items(isActivation) };
  if (isByDraws) {
    const links = Array.from({ length: shardCount }, () => first.take(LINK_BYTES));
    first.end();
    const ofShards = shardedItems(readers.slice(1), false);
    // Empty data is that of a pre-verified settlement.
    if (ofShards.elementCounts.includes(0)) throw first.malformed();
    return { ...head, links, ...ofShards };
  }
  const shardWei = readers.map((reader) => reader.take(SHARD_WEI_BYTES));
  return { ...head, shardWei, ...shardedItems(readers, isActivation) };
}

/** Items of all shards, 512 places each but the last. @throws CIR_WIRE_MALFORMED for a payee beyond those */
function shardedItems(readers: readonly WireReader[], isActivation: boolean) {
  const shards = readers.map((reader) => reader.items(isActivation));
  const items = shards.flatMap((own, shard) => {
    if (own.slice(MAX_PAYEE_COUNT).some((item) => item !== 0n)) throw readers[shard]!.malformed();
    const absentCount = shard === shards.length - 1 ? 0 : Math.max(0, MAX_PAYEE_COUNT - own.length);
    return [...own.slice(0, MAX_PAYEE_COUNT), ...Array<bigint>(absentCount).fill(0n)];
  });
  const elementCounts = shards.map((own) => (own.length * itemBits(isActivation)) / ELEMENT_BITS);
  return { items, elementCounts };
}

class WireReader {
  readonly #wire: Uint8Array;
  #at = 0;

  constructor(wire: Uint8Array) {
    this.#wire = wire;
  }

  take(byteCount: number): bigint {
    this.#at += byteCount;
    if (this.#at > this.#wire.length) throw this.malformed();
    return fromBytesBe(this.#wire.subarray(this.#at - byteCount, this.#at));
  }

  /** Reads all remaining item elements. */
  items(isActivation: boolean): bigint[] {
    const elementCount = (this.#wire.length - this.#at) / ITEM_ELEMENT_BYTES;
    if (!Number.isInteger(elementCount) || elementCount > elementsOf(MAX_PAYEE_COUNT, isActivation))
      throw this.malformed();
    const width = itemBits(isActivation);
    return Array.from({ length: elementCount }, () => this.take(ITEM_ELEMENT_BYTES)).flatMap((element) =>
      Array.from({ length: ELEMENT_BITS / width }, (_, i) =>
        BigInt.asUintN(width, element >> BigInt(width * i)),
      ),
    );
  }

  end(): void {
    if (this.#at !== this.#wire.length) throw this.malformed();
  }

  malformed() {
    return circuitError("CIR_WIRE_MALFORMED", `a settlement has no ${this.#wire.length} bytes`, {
      data: { sizeBytes: this.#wire.length },
    });
  }
}

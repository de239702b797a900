/** The elements that L1 evaluates of each proof of a model of several shards (docs/reference/settlement.md, "Shards"). Amounts are wei. */
import { circuitError } from "../../circuit-errors.ts";
import { challenge, dataCommitment, evaluate } from "../../field/element-vector.ts";
import { FIELD_ORDER, SHARD_COUNT_MAX } from "../../protocol.ts";
import { type SettlementData, settlementElements } from "../settlement-data.ts";
import { packed, sizeError } from "../settlement-size.ts";

const ITEM_BITS = 40;
const ELEMENT_BITS = 240;

/** E of the draws' proof: the settlement's head, then the links of its shards. @throws CIR_WIRE_MALFORMED */
export function shardedElements(data: SettlementData, links: readonly bigint[]): bigint[] {
  if (links.length < 2 || links.length > SHARD_COUNT_MAX || links.some((link) => link >= FIELD_ORDER))
    throw circuitError("CIR_WIRE_MALFORMED", `${links.length} links, or one not below r`, {
      data: { reason: "links", linkCount: links.length },
    });
  return [...settlementElements({ ...data, items: [] }), ...links];
}

/** E of one shard's proof. @param items the quanta that each payee earned */
export function shardElements(link: bigint, items: readonly bigint[]): bigint[] {
  return [link, ...packed(items, ITEM_BITS, ELEMENT_BITS)];
}

/** Which shard of a model's a payee table is, and what its payees earn, and those of all shards. An activation: 0. */
export interface TablePlace {
  readonly shard: number;
  readonly shardCount: number;
  readonly earnedWei: bigint;
  readonly totalWei: bigint;
}

/** E of a payee table: of a model's only shard, the settlement's. @throws CIR_WIRE_MALFORMED */
export function tableElements(data: SettlementData, place: TablePlace): bigint[] {
  const elements = settlementElements(data);
  if (place.shardCount === 1) return elements;
  elements[1]! |= (BigInt(place.shard) << 100n) | (BigInt(place.shardCount) << 103n);
  elements[4] = place.earnedWei | (place.totalWei << 96n);
  return elements;
}

/**
 * The public signals of a proof whose circuit has `placeCount` places for E: those behind the posted elements are 0, and C
 * absorbs the private elements behind them.
 * @throws CIR_SETTLEMENT_SIZE where the elements are more than the places
 */
export function paddedStatement(
  elements: readonly bigint[],
  placeCount: number,
  privateElements: readonly bigint[],
  circuitId: bigint,
): { readonly commitment: bigint; readonly y: bigint; readonly z: bigint } {
  const absentCount = placeCount - elements.length;
  if (absentCount < 0) throw sizeError("elements", elements.length, placeCount);
  const absent = Array<bigint>(absentCount).fill(0n);
  const commitment = dataCommitment([...elements, ...absent, ...privateElements]);
  const z = challenge(circuitId, commitment, elements);
  return { commitment, z, y: evaluate(elements, z) };
}

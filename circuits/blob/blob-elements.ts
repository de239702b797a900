/**
 * Layout of a batch's operations in an Ethereum blob, as field elements d_0 … d_(n-1), n = narrow / 2 + members. Pairs of cores
 * come first, 92 bits each, the even slot low; then a payload for each slot of the members' section. All places are fixed, null
 * slots have 0; the rest of the blob is 0. Sequencer and readers of L1 share it.
 */

import { type BatchData, NULL_RECORD, narrowPairs, type SlotRecord } from "../batch/batch-data.ts";
import { circuitError } from "../circuit-errors.ts";
import { type BatchShape, KIND, kindRule, NARROW_CORE } from "../protocol.ts";
import { BLOB_PAYLOAD_LIMIT } from "./blob-bytes.ts";

const CORE_BITS = 92;

/** Slots of both sections. @throws RangeError for a shape without a blob */
function sectionsOf({ narrow, table }: BatchShape): { transfers: number; members: number } {
  if (table?.isBlob !== true) throw new RangeError("the shape has no blob");
  return { transfers: narrow - table.members, members: table.members };
}

/** Number of elements in a batch's blob that can be nonzero. @throws RangeError for a shape without a blob */
export const blobElementCount = (shape: BatchShape): number => shape.narrow / 2 + sectionsOf(shape).members;

/** @throws RangeError for a shape without a blob */
export function blobElements({ shape, narrow }: Pick<BatchData, "shape" | "narrow">): bigint[] {
  const { transfers } = sectionsOf(shape);
  const payloads = Array.from({ length: shape.narrow }, (_, i) => narrow[i]?.words[0] ?? 0n);
  return [...narrowPairs({ shape, narrow }), ...payloads.slice(transfers)];
}

const field = (value: bigint, from: bigint, bits: number): number =>
  Number(BigInt.asUintN(bits, value >> from));

/**
 * The narrow slots that a blob holds, up to the last used one.
 *
 * @param elements of the blob, all 4,096 or as many as may be other than 0
 * @throws CIR_BLOB_MALFORMED for what no batch has: its proof refuses it
 * @throws RangeError for a shape without a blob
 */
export function recordsOfBlob(elements: readonly bigint[], shape: BatchShape): SlotRecord[] {
  const { transfers } = sectionsOf(shape);
  const pairCount = shape.narrow / 2;
  const malformed = (element: number, why: string) =>
    circuitError("CIR_BLOB_MALFORMED", `element ${element} of a blob: ${why}`, { data: { element } });
  const elementAt = (index: number): bigint => {
    const element = elements[index];
    if (element === undefined) throw malformed(index, "it is missing");
    return element;
  };

  const recordAt = (slot: number): SlotRecord => {
    const position = Math.floor(slot / 2);
    const pair = elementAt(position);
    if (pair >> BigInt(2 * CORE_BITS) !== 0n) throw malformed(position, "it has more than 184 bits");
    const core = BigInt.asUintN(CORE_BITS, pair >> BigInt(CORE_BITS * (slot % 2)));
    const isMember = slot >= transfers;
    const payload = isMember ? elementAt(pairCount + slot - transfers) : 0n;
    const kind = field(core, 0n, 4);
    if (kind === KIND.null) {
      if (core !== 0n || payload !== 0n) throw malformed(position, `slot ${slot} is null and has fields`);
      return NULL_RECORD;
    }
    const isOfSection = isMember
      ? kind === KIND.commitData || kind === KIND.payInference
      : kind === KIND.transfer;
    if (!isOfSection) throw malformed(position, `slot ${slot} has the kind ${kind} of another section`);
    if (payload >= BLOB_PAYLOAD_LIMIT)
      throw malformed(pairCount + slot - transfers, "no payload is so large");
    return {
      kind,
      a: field(core, NARROW_CORE.a, 24),
      b: field(core, NARROW_CORE.b, 24),
      amountCode: core >> NARROW_CORE.amount,
      isValid: false,
      words: kindRule(kind)!.wordCount === 0 ? [] : [payload],
    };
  };

  const records = Array.from({ length: shape.narrow }, (_, slot) => recordAt(slot));
  for (const [slot, { kind }] of records.entries()) {
    const isFirst = slot === 0 || slot === transfers;
    if (!isFirst && kind !== KIND.null && records[slot - 1]!.kind === KIND.null)
      throw malformed(Math.floor(slot / 2), `slot ${slot} comes after a null one of its section`);
  }
  const rest = elements.findIndex((element, i) => i >= blobElementCount(shape) && element !== 0n);
  if (rest >= 0) throw malformed(rest, "it is behind the batch and not 0");
  while (records.at(-1)?.kind === KIND.null) records.pop();
  return records;
}

/** Constraints of batches of any size, by the sizes of their parts; table-composition.all.test.ts holds them to circom's. */

import { HEADER_ELEMENT_COUNT, TREE_ARITY } from "../protocol.ts";
import type { TableShape } from "../table/table-shape.ts";
import { blobConstraints } from "./blob-counts.ts";

/** Constraints of a row: two leaf hashes, ranges, tuples. Its path and its id come on top. */
const ROW = 775;
const LEVEL = 818;
const UNIT = 1022;
/** A node before and after. */
const NODE_PAIR = 804;
const CHALLENGES = 488;
/** Constraints of one Poseidon call of C, for 15 elements. */
const CHUNK = 609;
const TOUCHED_BITS = 252;

interface TableCounts {
  readonly transfer: number;
  readonly member: number;
  readonly row: number;
  readonly unit: number;
  readonly tree: number;
  /** Constraints of the blob's evaluation; 0 without a blob. */
  readonly blob: number;
  readonly frame: number;
}

export function partConstraints(shape: TableShape, depth: number): TableCounts {
  const { transfers, members, wide, rows, units, low, top, isBlob = false } = shape;
  const subtrees = TREE_ARITY ** top;
  const nodes = (subtrees - 1) / (TREE_ARITY - 1) + depth - low - top;
  const touchedWords = Math.ceil(subtrees / TOUCHED_BITS);
  const pairs = isBlob ? 0 : (transfers + members) / 2;
  const posted = HEADER_ELEMENT_COUNT + pairs + wide;
  const running = (isBlob ? 0 : members) + 7 * wide;
  const ofMembers = 2 * members + Math.ceil(members / 3);
  const ofRows = 2 * rows + Math.ceil(rows / 6);
  const absorbed =
    HEADER_ELEMENT_COUNT + 8 * wide + 1 + touchedWords + transfers + ofMembers + ofRows + 4 * units;
  // A field alone in its element is no sum.
  const sharing = 2 + Math.ceil((members - 1) / 3) + Math.ceil((rows - 1) / 6);
  const header = 3 * 40 + 25 + 64 + 96;
  const order = transfers - 1 + members - 1 + Math.max(0, wide - 1) + 26 * (units - 1);
  const feeLeaf = 3 * depth + 1 + 96 + 2 + 2 * 324 + LEVEL * depth;
  const horner = posted + 2 * running - 1;
  return {
    transfer: 1849 + 6 * (low + top),
    member: 2207 + 6 * (low + top),
    row: ROW + LEVEL * low + 3 * (low + top),
    unit: UNIT,
    tree: CHALLENGES + NODE_PAIR * nodes + 5 * subtrees + 1 + members + touchedWords,
    blob: isBlob ? blobConstraints(transfers, members) : 0,
    // Sums of row chains, the equation and the elements that share fields are linear. The last row blinds.
    frame:
      header + order + 6 * rows - 2 + 1 + feeLeaf + sharing + CHUNK * Math.ceil(absorbed / 15) + horner + 1,
  };
}

/** Constraints of a whole batch. @param wideSlot constraints of a wide slot */
export function tableConstraints(shape: TableShape, depth: number, wideSlot: number): number {
  const { transfer, member, row, unit, tree, blob, frame } = partConstraints(shape, depth);
  const { transfers, members, wide, rows, units } = shape;
  const sections = transfers * transfer + members * member + rows * row + units * unit + wide * wideSlot;
  return sections + tree + blob + frame;
}

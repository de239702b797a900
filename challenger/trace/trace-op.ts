/**
 * The operations of a trace, and their descriptions as contracts/disputes/TraceRules.sol reads them. An operation's
 * result is a matrix, row by row. leaf-rules.ts says what each of its numbers is.
 */

import { wordBytes } from "./word-tree.ts";

/** In the order of TraceRules.Kind. */
export const OP_KINDS = [
  "input",
  "fill",
  "copy",
  "assemble",
  "embed",
  "chain",
  "lanes",
  "total",
  "most",
  "scale",
  "exponential",
  "product",
  "normalise",
  "normaliseBack",
  "rotate",
  "softmaxBack",
  "gate",
  "gateBackInner",
  "gateBackGate",
  "gelu",
  "geluBack",
  "sum",
  "crossEntropy",
  "quantise",
] as const;

export type OpKind = (typeof OP_KINDS)[number];

/** Of `lanes`: what of each number is added up. */
export const LANES_OF = { plain: 0, deviation: 1, product: 2, slope: 3 } as const;
/** Of `total`: what is made of the sum. */
export const TOTAL_AS = { sum: 0, mean: 1, inverseRoot: 2, inverse: 3, lossFactor: 4 } as const;
/** Of `most`. */
export const MOST_OF = { numbers: 0, sizes: 1 } as const;
/** `second` of an operation on the lower triangle: row i has i + 1 numbers. */
export const CAUSAL = 1;

/** Numbers of an earlier operation: result (i, j) is made of the one at start + i · rowStride + j · columnStride. */
export interface TraceSource {
  readonly op: number;
  /** Numbers that the operation has. */
  readonly size: number;
  readonly start: number;
  readonly rowStride: number;
  /** Of a piece of `assemble`: the first column that it has. */
  readonly columnStride: number;
}

export interface TraceOp {
  readonly kind: OpKind;
  readonly rows: number;
  readonly columns: number;
  /** Numbers that a chain, a lane, a total or a maximum goes through. */
  readonly depth: number;
  /** Which of its forms; of `input` which one; of `rotate` the size of a head. */
  readonly extra: number;
  /** Bits of a float. */
  readonly first: number;
  readonly second: number;
  readonly sources: readonly TraceSource[];
}

/** Big-endian words of four bytes: eight, then five a source. */
export function encodeOp(op: TraceOp): Uint8Array {
  const { columns, depth, extra, first, kind, rows, second, sources } = op;
  const head = [OP_KINDS.indexOf(kind), rows, columns, depth, extra, first, second, sources.length];
  const of = ({ columnStride, op, rowStride, size, start }: TraceSource) => [
    ...[op, size, start, rowStride, columnStride],
  ];
  return wordBytes([...head, ...sources.flatMap(of)]);
}

export const sizeOf = ({ columns, rows }: TraceOp): number => rows * columns;

/** Multiply-adds that one operation chains; longer chains go through several, so that L1 can compute one of them. */
export const LONGEST_CHAIN = 1_024;
/** Numbers of a row of logits that one operation goes through, whole lanes of them: so many are opened on L1 at once. */
export const LONGEST_ROW = 4_096;
/** Pieces that one operation puts together: its description is shown on L1, 20 bytes a piece. */
export const MOST_PIECES = 64;

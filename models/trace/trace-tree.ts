/** A trace as a tree: of each operation's results one, and one over their roots. */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { FixedNumbers } from "./fixed-numbers.ts";
import { encodeOp, type TraceOp } from "./trace-op.ts";
import { WordTree } from "./word-tree.ts";

export interface TraceTree {
  readonly ops: readonly WordTree[];
  /** Over the roots of the operations. */
  readonly top: WordTree;
}

/** @param fixed numbers that are in many traces */
export function traceTree(results: readonly Float32Array[], fixed = new FixedNumbers([])): TraceTree {
  const ops = results.map((numbers) => fixed.treeOf(numbers));
  return { ops, top: new WordTree(concatBytes(...ops.map(({ root }) => root))) };
}

/** Over the descriptions of a program's operations. */
export function programTree(program: readonly TraceOp[]): WordTree {
  return new WordTree(concatBytes(...program.map((op) => keccak_256(encodeOp(op)))));
}

/** Place T has the program for T tokens: keccak256(number of its operations ‖ its root). Place 0 is empty. */
export function programsTree(programs: readonly (readonly TraceOp[])[]): WordTree {
  const leaves = programs.map((program) => programLeaf(program.length, programTree(program).root));
  return new WordTree(concatBytes(new Uint8Array(32), ...leaves));
}

export function programLeaf(opCount: number, root: Uint8Array): Uint8Array {
  const count = new Uint8Array(32);
  new DataView(count.buffer).setUint32(28, opCount);
  return keccak_256(concatBytes(count, root));
}

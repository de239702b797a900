/** A trace as a tree: of each operation's results one, and one over their roots. */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { FixedNumbers } from "./fixed-numbers.ts";
import { encodeOp, type TraceOp } from "./trace-op.ts";
import { WordTree } from "./word-tree.ts";

const WORD = 32;

export interface TraceTree {
  readonly ops: readonly WordTree[];
  /** Over the roots of the operations. */
  readonly top: WordTree;
}

/** @param fixed numbers that are in many traces */
export function traceTree(results: readonly Float32Array[], fixed = new FixedNumbers([])): TraceTree {
  const ops = results.map((numbers) => fixed.treeOf(numbers));
  return { ops, top: treeOver(ops.length, (k) => ops[k]!.root) };
}

/** Over the descriptions of a program's operations. */
export function programTree(program: readonly TraceOp[]): WordTree {
  return treeOver(program.length, (k) => keccak_256(encodeOp(program[k]!)));
}

/** A program for each number of tokens. */
export interface Programs {
  /** Tokens that the longest reads. */
  readonly count: number;
  /** Place T has the program for T tokens: keccak256(number of its operations ‖ its root). Place 0 is empty. */
  readonly tree: WordTree;
  /** @throws RangeError for no tokens, or more than the longest reads */
  of(tokenCount: number): readonly TraceOp[];
}

/** Programs that are kept: of a published base each takes megabytes. */
const KEPT_PROGRAMS = 4;

/** @param make the program that reads so many tokens: made for its leaf, and again when it is asked for */
export function programsOf(count: number, make: (tokenCount: number) => readonly TraceOp[]): Programs {
  const leaves = Array.from({ length: count }, (_, i) => {
    const program = make(i + 1);
    return programLeaf(program.length, programTree(program).root);
  });
  const kept = new Map<number, readonly TraceOp[]>();
  return {
    count,
    tree: treeOver(count + 1, (k) => leaves[k - 1] ?? new Uint8Array(WORD)),
    of(tokenCount) {
      if (!(tokenCount >= 1 && tokenCount <= count))
        throw new RangeError(`there is no program that reads ${tokenCount} tokens`);
      const program = kept.get(tokenCount) ?? make(tokenCount);
      kept.delete(tokenCount);
      kept.set(tokenCount, program);
      if (kept.size > KEPT_PROGRAMS) kept.delete(kept.keys().next().value!);
      return program;
    },
  };
}

/** Of a long text there are more words than a call has arguments. */
function treeOver(count: number, wordOf: (k: number) => Uint8Array): WordTree {
  const words = new Uint8Array(WORD * count);
  for (let k = 0; k < count; k++) words.set(wordOf(k), WORD * k);
  return new WordTree(words);
}

export function programLeaf(opCount: number, root: Uint8Array): Uint8Array {
  const count = new Uint8Array(32);
  new DataView(count.buffer).setUint32(28, opCount);
  return keccak_256(concatBytes(count, root));
}

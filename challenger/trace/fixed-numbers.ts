/** What every trace of a model has: its inputs, copies of them with columns as rows, and the trees of both. */
import type { TraceInputs } from "./query-program.ts";
import type { TraceOp } from "./trace-op.ts";
import { WordTree } from "./word-tree.ts";

/** Nobody may change its numbers: the next trace has them, too. */
export class FixedNumbers {
  readonly inputs: TraceInputs;
  /** null until its tree is asked for. */
  readonly #trees: Map<Float32Array, WordTree | null>;
  readonly #copies = new Map<string, Float32Array>();

  constructor(inputs: TraceInputs) {
    this.inputs = inputs;
    this.#trees = new Map(inputs.map((numbers) => [numbers, null]));
  }

  /** The result of an operation, computed once where it is a copy of an input. */
  resultOf(program: readonly TraceOp[], op: TraceOp, compute: () => Float32Array): Float32Array {
    const [source] = op.sources;
    if (op.kind !== "copy" || source === undefined) return compute();
    const { extra, kind } = program[source.op]!;
    if (kind !== "input") return compute();
    const { columnStride, rowStride, start } = source;
    const key = [extra, start, rowStride, columnStride, op.rows, op.columns].join();
    const known = this.#copies.get(key);
    if (known !== undefined) return known;
    const made = compute();
    this.#copies.set(key, made);
    this.#trees.set(made, null);
    return made;
  }

  /** Of any numbers; of these ones made once. */
  treeOf(numbers: Float32Array): WordTree {
    const known = this.#trees.get(numbers);
    if (known) return known;
    const made = new WordTree(numbers);
    if (known === null) this.#trees.set(numbers, made);
    return made;
  }
}

/** Computes a trace: chains by the engine's kernels, copies in one go, everything else by the rules of its leaves. */
import { createKernels, type KernelChoice } from "@openledger/models/kernels/create-kernels";
import type { Kernels } from "@openledger/models/kernels/kernels";
import { modelError } from "@openledger/models/model-errors";
import { roundUp16 } from "@openledger/models/tensors/arena-plan";
import type { FixedNumbers } from "./fixed-numbers.ts";
import { leafRule, type TracedText } from "./leaf-rules.ts";
import type { TraceInputs } from "./query-program.ts";
import { sizeOf, type TraceOp, type TraceSource } from "./trace-op.ts";

/** Rows and columns that are copied together. */
const TILE = 32;

/** Kernels with an arena in which every chain of these programs has room. */
export function chainKernels(choice: KernelChoice, programs: readonly (readonly TraceOp[])[]): Kernels {
  let room = 16;
  for (const program of programs)
    for (const op of program) if (op.kind === "chain") room = Math.max(room, chainPlaces(op).end);
  return createKernels(choice, room).kernels;
}

/**
 * The results of each operation in turn. What is changed in one goes into those that follow.
 *
 * @throws RollupError MOD_INPUT_INVALID for inputs of another size
 */
export function* traceSteps(
  program: readonly TraceOp[],
  text: TracedText,
  inputs: TraceInputs,
  kernels: Kernels,
): Generator<Float32Array, Float32Array[]> {
  const results: Float32Array[] = [];
  for (const op of program) {
    const made = resultOf(op, text, inputs, results, kernels);
    // Who changes an input changes this trace's alone.
    const numbers = op.kind === "input" ? made.slice() : made;
    results.push(numbers);
    yield numbers;
  }
  return results;
}

/** Results that nobody changes, so that some of them may be those of an earlier trace. @throws RollupError MOD_INPUT_INVALID */
export function runTrace(
  program: readonly TraceOp[],
  text: TracedText,
  fixed: FixedNumbers,
  kernels: Kernels,
): Float32Array[] {
  const results: Float32Array[] = [];
  for (const op of program)
    results.push(fixed.resultOf(program, op, () => resultOf(op, text, fixed.inputs, results, kernels)));
  return results;
}

function resultOf(
  op: TraceOp,
  text: TracedText,
  inputs: TraceInputs,
  results: readonly Float32Array[],
  kernels: Kernels,
): Float32Array {
  if (op.kind === "input") {
    const given = inputs[op.extra];
    if (given?.length !== op.columns) {
      throw modelError("MOD_INPUT_INVALID", `input ${op.extra} of the trace has another size`, {
        data: { field: "inputs", given: given?.length, needed: op.columns },
      });
    }
    return given;
  }
  if (op.kind === "chain") return chain(op, results, kernels);
  if (op.kind === "copy") return copy(op, results);
  const rule = leafRule(
    op,
    text,
    op.sources.map(({ op: source }) => results[source]!),
  );
  const numbers = new Float32Array(sizeOf(op));
  for (let i = 0, at = 0; i < op.rows; i++) for (let j = 0; j < op.columns; j++) numbers[at++] = rule(i, j);
  return numbers;
}

/** Columns of the source as rows, tile by tile: numbers that lie far apart are read while their neighbours are at hand. */
function copy({ columns, rows, sources }: TraceOp, results: readonly Float32Array[]): Float32Array {
  const { columnStride, op, rowStride, start } = sources[0]!;
  const given = results[op]!;
  const made = new Float32Array(rows * columns);
  for (let top = 0; top < rows; top += TILE)
    for (let left = 0; left < columns; left += TILE)
      for (let i = top; i < Math.min(top + TILE, rows); i++)
        for (let j = left; j < Math.min(left + TILE, columns); j++)
          made[i * columns + j] = given[start + i * rowStride + j * columnStride]!;
  return made;
}

function chainPlaces({ columns, depth, rows }: TraceOp) {
  const right = roundUp16(rows * depth);
  const out = right + roundUp16(columns * depth);
  return { left: 0, right, out, end: out + roundUp16(rows * columns) };
}

function chain(op: TraceOp, results: readonly Float32Array[], kernels: Kernels): Float32Array {
  const { columns, depth, rows } = op;
  const { left, out, right } = chainPlaces(op);
  const [a, b, before] = op.sources as [TraceSource, TraceSource, TraceSource | undefined];
  const { arena } = kernels;
  const place = ({ op: source, rowStride, start }: TraceSource, count: number, width: number, at: number) => {
    const numbers = results[source]!;
    // What lies beyond would be what an earlier chain has left there.
    if (start + (count - 1) * rowStride + width > numbers.length)
      throw new RangeError(`a chain reads beyond operation ${source}`);
    for (let i = 0; i < count; i++)
      arena.set(numbers.subarray(start + i * rowStride, start + i * rowStride + width), at + i * width);
  };
  place(a, rows, depth, left);
  place(b, columns, depth, right);
  if (before !== undefined) place(before, rows, columns, out);
  kernels.multiply(
    rows,
    columns,
    depth,
    { at: left, rowStride: depth, columnStride: 1 },
    { at: right, rowStride: 1, columnStride: depth },
    out,
    columns,
    before !== undefined,
  );
  return arena.slice(out, out + rows * columns);
}

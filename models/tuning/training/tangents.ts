/**
 * Tangents of a tuning (docs/adr/0013-tangents-of-the-run.md): what taking a little of a row's weight away would do to each
 * number of the adapter, carried along a run. A row is felt at its own steps, and from then on by the curvature:
 * `fisher` times the mean of g gᵀ over the rows' latest gradients g.
 */
import type { Kernels, Place } from "../../engine/kernels/kernels.ts";
import { type ArenaPlan, roundUp16 } from "../../engine/tensors/arena-plan.ts";
import { modelError } from "../../model-errors.ts";
import { deriveAdam, type StepOffsets } from "./adam-derivative.ts";

export interface Tangents {
  readonly rowCount: number;
  /** Numbers of the adapter. */
  readonly floatCount: number;
  readonly fisher: number;
  /** rowCount × floatCount each: changes of the adapter, of its moments, and gradients at the last step that had the row. */
  readonly changes: Place;
  readonly first: Place;
  readonly second: Place;
  readonly latest: Place;
  /** floatCount each: what the step is to every row alike, see `deriveAdam`. */
  readonly squares: Place;
  readonly ofMean: Place;
  readonly ofSquare: Place;
  /** One for each thread: room for some rows. */
  readonly lanes: readonly Pick<TangentTask, "products" | "slopes">[];
  /** Offset of each row of the tuning among the `rowCount`. The others stay 0. */
  rows: readonly number[];
  /** Steps that went into them. */
  stepCount: number;
}

/** Maximum numbers of all rows' adapters: four times as many are stored, 2 GiB. */
const MAX_NUMBERS = 2 ** 27;
/** Maximum rows: their products with one another take an hour on one core, for the default base. */
const MAX_ROWS = 1_024;
/** Maximum rows whose products are made together. */
const MAX_ROWS_AT_ONCE = 128;
/** Numbers of each of these rows whose slopes are made together: they stay in the cache until they are used. */
const NUMBERS_AT_ONCE = 2_048;

export const hasTangentRoom = ({
  floatCount,
  rowCount,
}: Pick<Tangents, "rowCount" | "floatCount">): boolean =>
  rowCount <= MAX_ROWS && rowCount * floatCount <= MAX_NUMBERS;

/** @param sizes `changes` has room for rowCount × floatCount. @throws MOD_TOO_LARGE */
export function planTangents(
  plan: ArenaPlan,
  sizes: Pick<Tangents, "rowCount" | "floatCount" | "fisher" | "changes">,
  threadCount: number,
): Tangents {
  const { floatCount, rowCount } = sizes;
  if (!hasTangentRoom(sizes))
    throw modelError(
      "MOD_TOO_LARGE",
      `tangents of ${rowCount} rows with ${floatCount} numbers each are too many: at most ${MAX_ROWS} rows, and ${MAX_NUMBERS} numbers of all of them. Name the method "ek-fac" in the recipe`,
      { data: { rowCount, floatCount, maxRows: MAX_ROWS, maxNumbers: MAX_NUMBERS } },
    );
  const numbers = rowCount * floatCount;
  const count = rowsAtOnce(Math.ceil(rowCount / threadCount));
  return {
    ...sizes,
    first: plan.take(numbers),
    second: plan.take(numbers),
    latest: plan.take(numbers),
    squares: plan.take(floatCount),
    ofMean: plan.take(floatCount),
    ofSquare: plan.take(floatCount),
    lanes: Array.from({ length: threadCount }, () => ({
      products: plan.take(count * roundUp16(rowCount)),
      slopes: plan.take(count * Math.min(NUMBERS_AT_ONCE, floatCount)),
    })),
    rows: [],
    stepCount: 0,
  };
}

/** Rows of each part, if `count` rows are taken in the fewest parts, which are about equal. */
const rowsAtOnce = (count: number): number => Math.ceil(count / Math.ceil(count / MAX_ROWS_AT_ONCE));

/**
 * Starts the tangents, before the first step of a tuning.
 * @param rows of its rows, where each lies among the `rowCount`
 */
export function startTangents(kernels: Kernels, tangents: Tangents, rows: readonly number[]): void {
  const { changes, first, floatCount, latest, rowCount, second } = tangents;
  for (const at of [changes, first, second, latest]) kernels.clear(rowCount * floatCount, at);
  Object.assign(tangents, { rows, stepCount: 0 });
}

/** A step for some rows. No row's numbers depend on another's, so the bytes do not depend on which thread takes which. */
export interface TangentTask {
  readonly tangents: Omit<Tangents, "lanes" | "rows">;
  readonly from: number;
  readonly end: number;
  /** Rows × `rowCount`, rounded up to 16. */
  readonly products: Place;
  /** Rows × NUMBERS_AT_ONCE. */
  readonly slopes: Place;
  /** Rows of the step, with their gradients times −1 ÷ rows of the step. */
  readonly own: readonly { readonly row: number; readonly at: Place }[];
  readonly factor: number;
  readonly settings: Place;
}

/**
 * Tasks that follow a step. They change the blocks.
 * @param indices the step's rows, as the tuning counts them @param blocks with the gradient of each
 */
export function tangentTasks(
  kernels: Kernels,
  tangents: Tangents,
  indices: readonly number[],
  blocks: readonly Place[],
  step: StepOffsets & { readonly settings: Place },
): TangentTask[] {
  const { lanes, rows, ...plain } = tangents;
  const { fisher, floatCount, latest, rowCount } = plain;
  const { arena } = kernels;
  const numbers = (at: Place) => arena.subarray(at, at + floatCount);
  const derivative = {
    squares: numbers(plain.squares),
    ofMean: numbers(plain.ofMean),
    ofSquare: numbers(plain.ofSquare),
  };
  const settings = arena.subarray(step.settings, step.settings + 10);
  deriveAdam(arena, step, settings, blocks.slice(0, indices.length), derivative);
  const own = indices.map((index, k) => {
    const [row, at] = [rows[index]!, blocks[k]!];
    kernels.copy(floatCount, latest + row * floatCount, at);
    kernels.scale(floatCount, at, -1 / indices.length);
    return { row, at };
  });
  tangents.stepCount += 1;
  // Every round goes through all rows once.
  const seen = Math.min(rows.length, tangents.stepCount * indices.length);
  const each = Math.ceil(rowCount / lanes.length);
  return lanes.map((lane, k) => {
    const [from, end] = [k * each, Math.min(rowCount, (k + 1) * each)];
    return { tangents: plain, from, end, ...lane, own, factor: fisher / seen, settings: step.settings };
  });
}

export function runTangentTask(kernels: Kernels, task: TangentTask): void {
  const { changes, floatCount, latest, rowCount } = task.tangents;
  const { end, factor, products } = task;
  const stride = roundUp16(rowCount);
  const flipped = { at: latest, rowStride: 1, columnStride: floatCount };
  const each = rowsAtOnce(end - task.from);
  for (let from = task.from; from < end; from += each) {
    const count = Math.min(each, end - from);
    const input = rowsAt(changes + from * floatCount, floatCount);
    kernels.multiplyRounded(count, rowCount, floatCount, input, flipped, products, stride, false);
    kernels.scale(count * stride, products, factor);
    for (let first = 0; first < floatCount; first += NUMBERS_AT_ONCE)
      moveNumbers(kernels, task, from, count, first);
  }
}

/** Moves numbers `first` … of `count` rows from row `from` on by their slopes. */
function moveNumbers(kernels: Kernels, task: TangentTask, from: number, count: number, first: number): void {
  const { changes, floatCount, latest, ofMean, ofSquare, rowCount, squares } = task.tangents;
  const { own, products, settings, slopes } = task;
  const width = Math.min(NUMBERS_AT_ONCE, floatCount - first);
  const left = rowsAt(products, roundUp16(rowCount));
  const right = rowsAt(latest + first, floatCount);
  kernels.multiplyRounded(count, width, rowCount, left, right, slopes, width, false);
  for (const { at, row } of own)
    if (row >= from && row < from + count) kernels.add(width, slopes + (row - from) * width, at + first);
  const step = [squares + first, ofMean + first, ofSquare + first, settings] as const;
  for (let i = 0; i < count; i++) {
    const at = (from + i) * floatCount + first;
    const moments = [task.tangents.first + at, task.tangents.second + at] as const;
    kernels.adamTangent(width, changes + at, slopes + i * width, ...moments, ...step);
  }
}

const rowsAt = (at: Place, rowStride: number) => ({ at, rowStride, columnStride: 1 });

/**
 * What each number of a trace has to be, from numbers of earlier operations. contracts/disputes/TraceRules.sol has the
 * same rules; ../disputing/trace-rules.test.ts compares both with the engine.
 */
import { exponential, floatOf, fused, minus, over, plus, root, sigmoid, times } from "./float-arithmetic.ts";
import { CAUSAL, LANES_OF, MOST_OF, TOTAL_AS, type TraceOp, type TraceSource } from "./trace-op.ts";

/** What a trace is of: tokens of prompt and answer, of which the last is only wanted, never read. */
export interface TracedText {
  readonly tokens: readonly number[];
  readonly promptCount: number;
}

const LANES = 16;
const LEAST = Math.fround(-3e38);
const GELU = Float32Array.of(0.0713548162726, 1.5957691216057, 0.2140644488178);

type LeafRule = (row: number, column: number) => number;

/** One over the number of targets. */
const lossWeight = ({ promptCount, tokens }: TracedText): number =>
  Math.fround(1 / (tokens.length - promptCount));

/** Places of the numbers that a result is made of, a source each; of `assemble` the piece's alone. */
export function placesOf(
  op: TraceOp,
  text: TracedText,
  row: number,
  column: number,
): { source: TraceSource; from: number; count: number }[] {
  if (op.kind === "fill" || op.kind === "input") return [];
  if (op.kind === "assemble") {
    const source = pieceAt(op, column);
    const from = source.start + row * source.rowStride + column - source.columnStride;
    return [{ source, from, count: 1 }];
  }
  return op.sources.map((source, s) => {
    const from = placeOf(op, text, source, s, row, column);
    return { source, from, count: readsRow(op, s) ? lengthOf(op, row) : 1 };
  });
}

/** @param numbers of each source's operation */
export function leafRule(op: TraceOp, text: TracedText, numbers: readonly Float32Array[]): LeafRule {
  const at = (s: number, row: number, column: number): number =>
    numbers[s]![placeOf(op, text, op.sources[s]!, s, row, column)]!;
  const a = floatOf(op.first);
  const isBehind = (row: number, column: number) => op.second === CAUSAL && column > row;
  switch (op.kind) {
    case "fill":
      return () => a;
    case "copy":
    case "embed":
      return (i, j) => at(0, i, j);
    case "assemble":
      return (i, j) => {
        const [place] = placesOf(op, text, i, j);
        return numbers[op.sources.indexOf(place!.source)]![place!.from]!;
      };
    case "chain":
      return (i, j) => {
        const [p, q] = [0, 1].map((s) => placeOf(op, text, op.sources[s]!, s, i, j)) as [number, number];
        let sum = op.sources.length === 3 ? at(2, i, j) : 0;
        for (let k = 0; k < op.depth; k++) sum = fused(numbers[0]![p + k]!, numbers[1]![q + k]!, sum);
        return sum;
      };
    case "lanes":
      return (i, lane) => laneOf(op, text, numbers, i, lane);
    case "total":
      return (i) => totalOf(op, text, numbers[0]!, placeOf(op, text, op.sources[0]!, 0, i, 0));
    case "most":
      return (i) => {
        const from = placeOf(op, text, op.sources[0]!, 0, i, 0);
        const isSize = op.extra === MOST_OF.sizes;
        let most = isSize ? 0 : LEAST;
        for (let k = 0; k < lengthOf(op, i); k++) {
          const x = isSize ? Math.abs(numbers[0]![from + k]!) : numbers[0]![from + k]!;
          if (x > most) most = x;
        }
        return most;
      };
    case "scale":
      return (i, j) => (isBehind(i, j) ? 0 : times(at(0, i, j), a));
    case "exponential":
      return (i, j) => (isBehind(i, j) ? 0 : exponential(minus(at(0, i, j), at(1, i, j))));
    case "product":
      return (i, j) => (isBehind(i, j) ? 0 : times(at(0, i, j), at(1, i, j)));
    case "sum":
      return (i, j) => plus(at(0, i, j), at(1, i, j));
    case "normalise":
      return (i, j) => {
        const y = times(times(minus(at(0, i, j), at(1, i, j)), at(2, i, j)), at(3, i, j));
        return op.sources.length === 5 ? plus(y, at(4, i, j)) : y;
      };
    case "normaliseBack":
      return (i, j) => {
        const unit = times(minus(at(3, i, j), at(4, i, j)), at(5, i, j));
        const slope = minus(times(at(1, i, j), at(2, i, j)), at(6, i, j));
        return plus(at(0, i, j), times(minus(slope, times(unit, at(7, i, j))), at(5, i, j)));
      };
    case "rotate":
      return (i, j) => {
        const [x, y, cosine] = [at(0, i, j), at(1, i, j), at(2, i, j)];
        const sine = times(at(3, i, j), a);
        const isFirst = j % op.extra < op.extra / 2;
        return isFirst ? minus(times(x, cosine), times(y, sine)) : plus(times(y, cosine), times(x, sine));
      };
    case "softmaxBack":
      return (i, j) => {
        // Behind the diagonal the engine has zeros, whose signs it makes up to a whole number of lanes.
        if (j > i + LANES - 1 - (i % LANES)) return 0;
        return times(times(minus(j > i ? 0 : at(0, i, j), at(2, i, j)), at(1, i, j)), a);
      };
    case "gate":
      return (i, j) => {
        const x = at(0, i, j);
        return times(times(x, sigmoid(x)), at(1, i, j));
      };
    case "gateBackInner":
      return (i, j) => {
        const x = at(0, i, j);
        return times(at(1, i, j), times(x, sigmoid(x)));
      };
    case "gateBackGate":
      return (i, j) => {
        const x = at(0, i, j);
        const s = sigmoid(x);
        return times(times(at(2, i, j), at(1, i, j)), times(s, plus(times(x, minus(1, s)), 1)));
      };
    case "gelu":
      return (i, j) => {
        const x = at(0, i, j);
        return times(x, sigmoid(geluInner(x)));
      };
    case "geluBack":
      return (i, j) => {
        const x = at(0, i, j);
        const s = sigmoid(geluInner(x));
        const slope = plus(times(times(x, x), GELU[2]!), GELU[1]!);
        return times(at(1, i, j), times(s, plus(times(times(x, minus(1, s)), slope), 1)));
      };
    case "crossEntropy": {
      const weight = lossWeight(text);
      return (i, j) => {
        if (i + 1 < text.promptCount) return 0;
        const x = times(at(0, i, j), at(1, i, j));
        return text.tokens[i + 1] === j ? minus(x, weight) : x;
      };
    }
    case "quantise":
      return (i, j) => {
        const [x, most] = [at(0, i, j), at(1, i, j)];
        if (!Number.isFinite(x) || !Number.isFinite(most)) return Number.NaN;
        // The quotient of two floats is no whole number of 128ths by rounding alone: they are 2^-24 apart.
        return most === 0 ? 1 : Math.min(255, 2 * Math.floor((128 * x) / most) + 1);
      };
    case "input":
      throw new RangeError("an input has no rule: its root is known");
    default:
      return op.kind satisfies never;
  }
}

const geluInner = (x: number): number => times(x, plus(times(times(x, x), GELU[0]!), GELU[1]!));

function lengthOf({ depth, kind, second }: TraceOp, row: number): number {
  return second === CAUSAL && kind !== "total" ? row + 1 : depth;
}

function readsRow({ extra, kind }: TraceOp, s: number): boolean {
  if (kind === "total" || kind === "most") return true;
  if (kind === "chain") return s < 2;
  if (kind !== "lanes") return false;
  // What is before a piece, the mean and the factor are one number.
  if (extra === LANES_OF.product) return true;
  return s === 0 || (extra === LANES_OF.slope && s < 3);
}

function pieceAt({ sources }: TraceOp, column: number): TraceSource {
  let low = 0;
  for (let high = sources.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (sources[middle]!.columnStride <= column) low = middle;
    else high = middle;
  }
  return sources[low]!;
}

/** Of the first number that a result is made of. */
function placeOf(
  op: TraceOp,
  { tokens }: TracedText,
  { columnStride, rowStride, start }: TraceSource,
  s: number,
  row: number,
  column: number,
): number {
  if (op.kind === "chain" && s < 2) return start + (s === 0 ? row : column) * rowStride;
  if (readsRow(op, s)) return start + row * rowStride;
  if (op.kind === "embed") return start + tokens[row]! * rowStride + column;
  if (op.kind === "rotate") {
    const own = column % op.extra;
    const turned = (own % (op.extra / 2)) + (s < 2 ? column - own : 0);
    return start + row * rowStride + turned;
  }
  return start + row * rowStride + column * columnStride;
}

function laneOf(
  op: TraceOp,
  text: TracedText,
  numbers: readonly Float32Array[],
  row: number,
  lane: number,
): number {
  const places = op.sources.map((source, s) => placeOf(op, text, source, s, row, lane));
  const at = (s: number, k: number) => numbers[s]![places[s]! + k]!;
  let sum = op.extra === LANES_OF.plain && op.sources.length === 2 ? at(1, 0) : 0;
  for (let k = lane; k < lengthOf(op, row); k += LANES) {
    let x = at(0, k);
    if (op.extra === LANES_OF.deviation) {
      x = minus(x, at(1, 0));
      x = times(x, x);
    } else if (op.extra >= LANES_OF.product) {
      x = times(x, at(1, k));
      if (op.extra === LANES_OF.slope) x = times(x, times(minus(at(2, k), at(3, 0)), at(4, 0)));
    }
    sum = plus(sum, x);
  }
  return sum;
}

function totalOf(op: TraceOp, text: TracedText, numbers: Float32Array, from: number): number {
  const lanes = numbers.slice(from, from + LANES);
  for (let width = LANES / 2; width >= 1; width /= 2)
    for (let k = 0; k < width; k++) lanes[k] = lanes[k]! + lanes[k + width]!;
  const total = lanes[0]!;
  switch (op.extra) {
    case TOTAL_AS.mean:
      return over(total, floatOf(op.first));
    case TOTAL_AS.inverseRoot:
      return over(1, root(plus(over(total, floatOf(op.first)), floatOf(op.second))));
    case TOTAL_AS.inverse:
      return over(1, total);
    case TOTAL_AS.lossFactor:
      return over(lossWeight(text), total);
    default:
      return total;
  }
}

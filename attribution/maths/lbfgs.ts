/**
 * L-BFGS with backtracking (Nocedal, Wright, "Numerical Optimization", algorithms 7.4 and 3.1): minimises the
 * loss of model/direct/logistic-model.ts over its parameters. Nothing in it depends on timing or chance, so a
 * training gives the same bytes again.
 */
import type { OnProgress } from "../progress.ts";

/** Writes the gradient at `x` into `gradient` and returns the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  readonly maxIterations: number;
  /** Stops once the gradient's length is this part of max(1, length of x). */
  readonly tolerance: number;
  /** Overwrites its argument with an approximation of (Hessian)⁻¹ times it. */
  readonly precondition?: (v: Float64Array) => void;
  /** Stage "train", in hundredths of the way that the gradient's length has to go, on a logarithmic scale. */
  readonly onProgress?: OnProgress;
}

/** Pairs of steps and gradient changes from which the curvature is estimated. */
const MEMORY = 12;
/**
 * Part of the decrease that the slope promises which a step has to reach: c₁ of the Armijo condition, as Nocedal and
 * Wright.
 */
const ARMIJO = 1e-4;
/** Step sizes tried in one iteration: down to 2⁻³⁰ of the first, below which rounding decides. */
const MAX_HALVINGS = 30;

/** Minimises a smooth function from `start`. @returns the point, its value, and the gradient's length there */
export function minimise(
  objective: Objective,
  start: Float64Array,
  options: LbfgsOptions,
): { x: Float64Array; value: number; iterations: number; gradientNorm: number } {
  const n = start.length;
  let x = start.slice();
  let gradient = new Float64Array(n);
  let value = objective(x, gradient);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  let iterations = 0;
  const first = norm(gradient);
  let hundredths = 0;
  for (; iterations < options.maxIterations; iterations++) {
    const target = options.tolerance * Math.max(1, norm(x));
    if (norm(gradient) <= target) break;
    if (options.onProgress !== undefined) {
      const part = Math.log(first / norm(gradient)) / Math.log(first / target);
      hundredths = Math.max(hundredths, Math.min(99, Math.floor(100 * part) || 0));
      options.onProgress({ stage: "train", done: hundredths, total: 100 });
    }
    const direction = quasiNewtonDirection(gradient, pairs, options.precondition);
    const slope = dot(direction, gradient);
    const isDescent = slope < 0;
    let step = isDescent && (pairs.length > 0 || options.precondition) ? 1 : 1 / Math.max(1, norm(gradient));
    if (!isDescent) for (let i = 0; i < n; i++) direction[i] = -gradient[i]!;
    const descent = isDescent ? slope : -dot(gradient, gradient);
    const next = new Float64Array(n);
    const nextGradient = new Float64Array(n);
    let nextValue = value;
    let halvings = 0;
    for (; halvings < MAX_HALVINGS; halvings++, step /= 2) {
      for (let i = 0; i < n; i++) next[i] = x[i]! + step * direction[i]!;
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + ARMIJO * step * descent) break;
    }
    // No step lowers the value: rounding is all that is left.
    if (halvings === MAX_HALVINGS) break;
    const s = new Float64Array(n);
    const y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      s[i] = next[i]! - x[i]!;
      y[i] = nextGradient[i]! - gradient[i]!;
    }
    const sy = dot(s, y);
    if (sy > 1e-12 * norm(s) * norm(y)) {
      pairs.push({ s, y, rho: 1 / sy });
      if (pairs.length > MEMORY) pairs.shift();
    }
    x = next;
    gradient = nextGradient;
    value = nextValue;
  }
  return { x, value, iterations, gradientNorm: norm(gradient) };
}

/** Minus the inverse Hessian's estimate times the gradient: the two-loop recursion. */
function quasiNewtonDirection(
  gradient: Float64Array,
  pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[],
  precondition: LbfgsOptions["precondition"],
): Float64Array {
  const q = gradient.slice();
  const alphas = new Float64Array(pairs.length);
  for (let p = pairs.length - 1; p >= 0; p--) {
    const { s, y, rho } = pairs[p]!;
    const alpha = rho * dot(s, q);
    alphas[p] = alpha;
    for (let i = 0; i < q.length; i++) q[i] = q[i]! - alpha * y[i]!;
  }
  const last = pairs.at(-1);
  if (precondition !== undefined) precondition(q);
  else if (last !== undefined) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let i = 0; i < q.length; i++) q[i] = q[i]! * scale;
  }
  for (const [p, { s, y, rho }] of pairs.entries()) {
    const beta = alphas[p]! - rho * dot(y, q);
    for (let i = 0; i < q.length; i++) q[i] = q[i]! + beta * s[i]!;
  }
  for (let i = 0; i < q.length; i++) q[i] = -q[i]!;
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}

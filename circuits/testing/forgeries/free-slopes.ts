import { babyjubjub } from "@noble/curves/misc.js";
import { SUBGROUP_ORDER } from "../../field/curve/eddsa.ts";
import { toMontgomery } from "../../field/curve/eddsa-tables.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { add, evaluate, multiply, type Polynomial, roots, scale, subtract } from "../field-polynomial.ts";

/**
 * Forgery that a start point known in advance would allow, for tests (DrawScores, "Why incomplete additions
 * are enough").
 *
 * One row, two columns C_0 = c0 · S and C_1 = c1 · S. c0 and c1 are solved for so that two additions meet
 * equal points: plane 0's last one, and the Horner step 4 W2 + P1. Their slopes λ and μ are free, and the
 * results lie off the curve. The group law does not notice, since it never uses the curve's last coefficient.
 * The two slopes are then solved for so that the sum of the planes is any chosen point of the curve.
 */
const A = 168698n;
const P = FIELD_ORDER;
const L = SUBGROUP_ORDER;
const { Fp: field } = babyjubjub.Point;
type NoblePoint = InstanceType<typeof babyjubjub.Point>;
interface XY {
  u: bigint;
  v: bigint;
}
const modulo = (value: bigint, order = P) => ((value % order) + order) % order;
const inverseModL = (value: bigint) => {
  let [result, base] = [1n, modulo(value, L)];
  for (let e = L - 2n; e > 0n; e >>= 1n, base = (base * base) % L)
    if ((e & 1n) === 1n) result = (result * base) % L;
  return result;
};

/** Digits of the two query entries and the columns as multiples of S. */
interface TrapColumns {
  readonly digits: readonly (readonly [number, number, number, number])[];
  readonly scalars: readonly [bigint, bigint];
}

/** The first digits whose other additions are ordinary ones. */
export function trapColumns(): TrapColumns {
  const choices = [-3, -1, 1, 3];
  for (let code = 0; code < 4 ** 8; code++) {
    const digit = (position: number) => choices[(code >> (2 * position)) & 3]!;
    const e = [digit(0), digit(1), digit(2), digit(3)] as const;
    const f = [digit(4), digit(5), digit(6), digit(7)] as const;
    // 1 + e0 c0 = f0 c1 and 16 p3 + 4 p2 = p1 with p_i = 1 + e_i c0 + f_i c1.
    const [a, b] = [16 * e[3] + 4 * e[2] - e[1], 16 * f[3] + 4 * f[2] - f[1]].map(BigInt) as [bigint, bigint];
    const determinant = BigInt(f[0]) * a + BigInt(e[0]) * b;
    if (determinant === 0n) continue;
    const inverse = inverseModL(determinant);
    const c0 = modulo((-19n * BigInt(f[0]) - b) * inverse, L);
    const c1 = modulo((a - 19n * BigInt(e[0])) * inverse, L);
    const afterFirst = e.map((digit) => modulo(1n + BigInt(digit) * c0, L));
    const terms = f.map((digit) => modulo(BigInt(digit) * c1, L));
    const firstTerms = e.map((digit) => modulo(BigInt(digit) * c0, L));
    const isOrdinary = (x: bigint, y: bigint) => x !== y && (x + y) % L !== 0n;
    const planes = afterFirst.map((sum, i) => (sum + terms[i]!) % L);
    const ordinary =
      [0, 1, 2, 3].every((i) => isOrdinary(1n, firstTerms[i]!)) &&
      [1, 2, 3].every((i) => isOrdinary(afterFirst[i]!, terms[i]!)) &&
      isOrdinary((4n * planes[3]!) % L, planes[2]!) &&
      c0 !== 0n &&
      c1 !== 0n;
    if (ordinary)
      return {
        digits: [e, f].map((entry) => [...entry] as [number, number, number, number]),
        scalars: [c0, c1],
      };
  }
  throw new Error("no digits set the trap");
}

/**
 * The signals of DrawScores over the columns, by name, whose sum is `target`; null if the equation has no root. A
 * signal that the compiler merges with another is there under both names.
 */
export function forgeColumnSignals(
  trap: TrapColumns,
  S: NoblePoint,
  target: XY,
): Record<string, bigint> | null {
  const signals: Record<string, bigint> = {};
  const columns = trap.scalars.map((scalar) => S.multiply(scalar));
  columns.forEach((column, j) => {
    const [one, three] = [toMontgomery(column), toMontgomery(column.multiply(3n))];
    Object.assign(signals, {
      [`u[${j}]`]: one.u,
      [`v[${j}]`]: one.v,
      [`tripleU[${j}]`]: three.u,
      [`tripleV[${j}]`]: three.v,
    });
    trap.digits[j]!.forEach((digit, i) => {
      const absolute = Math.abs(digit) === 3 ? three : one;
      signals[`entry[${j}].absV[${i}]`] = absolute.v;
      signals[`entry[${j}].out[${i}][0]`] = absolute.u;
      signals[`entry[${j}].out[${i}][1]`] = digit > 0 ? absolute.v : P - absolute.v;
      signals[`columnSum[${i}][0].points[${j}][0]`] = signals[`entry[${j}].out[${i}][0]`]!;
      signals[`columnSum[${i}][0].points[${j}][1]`] = signals[`entry[${j}].out[${i}][1]`]!;
    });
  });
  const term = (j: number, i: number) => ({
    u: signals[`entry[${j}].out[${i}][0]`]!,
    v: signals[`entry[${j}].out[${i}][1]`]!,
  });
  const sumColumns = (plane: number, lastSlope?: bigint): XY => {
    let sum: XY = toMontgomery(S);
    for (let j = 0; j < 2; j++) {
      const slope = (j === 1 ? lastSlope : undefined) ?? chord(sum, term(j, plane));
      sum = addWith(slope, sum, term(j, plane));
      const prefix = `columnSum[${plane}][0]`;
      Object.assign(signals, {
        [`${prefix}.slope[${j}]`]: slope,
        [`${prefix}.sumU[${j}]`]: sum.u,
        [`${prefix}.sumV[${j}]`]: sum.v,
      });
    }
    signals[`columnSum[${plane}][0].out[0]`] = sum.u;
    signals[`columnSum[${plane}][0].out[1]`] = sum.v;
    return sum;
  };
  const fourfold = (index: number, point: XY): XY => {
    let current = point;
    signals[`fourfold[${index}].in[0]`] = point.u;
    signals[`fourfold[${index}].in[1]`] = point.v;
    for (let k = 0; k < 2; k++) {
      const slope = field.div(
        modulo(3n * current.u * current.u + 2n * A * current.u + 1n),
        modulo(2n * current.v),
      );
      const next = addWith(slope, current, current);
      const prefix = `fourfold[${index}]`;
      signals[`${prefix}.uSquare[${k}]`] = modulo(current.u * current.u);
      Object.assign(signals, {
        [`${prefix}.double[${k}].slope`]: slope,
        [`${prefix}.double[${k}].outU`]: next.u,
        [`${prefix}.double[${k}].outV`]: next.v,
      });
      current = next;
    }
    return current;
  };
  const horner = (index: number, upper: XY, lower: XY, freeSlope?: bigint): XY => {
    const slope = freeSlope ?? chord(upper, lower);
    [upper, lower].forEach((point, i) => {
      signals[`columnHorner[${index}].${"ab"[i]}[0]`] = point.u;
      signals[`columnHorner[${index}].${"ab"[i]}[1]`] = point.v;
    });
    const out = addWith(slope, upper, lower);
    Object.assign(signals, {
      [`columnHorner[${index}].slope`]: slope,
      [`columnHorner[${index}].out[0]`]: out.u,
      [`columnHorner[${index}].out[1]`]: out.v,
    });
    return out;
  };

  const upper = horner(2, fourfold(2, sumColumns(3)), sumColumns(2));
  const Q1 = fourfold(1, upper);
  const P1 = sumColumns(1);
  if (P1.u !== Q1.u || P1.v !== Q1.v) throw new Error("the trap is not set");
  const Q0 = term(1, 0);
  const solution = solveSlopes(Q1, Q0, target);
  if (solution === null) return null;
  const W1 = horner(1, Q1, P1, solution.mu);
  horner(0, fourfold(0, W1), sumColumns(0, solution.lambda));
  return signals;
}

/** μ and λ with 4 · (Q1 + Q1 by slope μ) + (Q0 + Q0 by slope λ) = target. */
function solveSlopes(Q1: XY, Q0: XY, target: XY): { mu: bigint; lambda: bigint } | null {
  // The fourfold in Jacobian coordinates, polynomials in μ.
  const u: Polynomial = [modulo(-A - 2n * Q1.u), 0n, 1n];
  let X = u;
  let Y = subtract(multiply([0n, 1n], subtract([Q1.u], u)), [Q1.v]);
  let Z: Polynomial = [1n];
  for (let i = 0; i < 2; i++) {
    const ZZ = multiply(Z, Z);
    const YY4 = scale(multiply(Y, Y), 4n);
    const R = add(scale(multiply(X, X), 3n), multiply(add(scale(X, 2n * A), ZZ), ZZ));
    Z = scale(multiply(Y, Z), 2n);
    const XYY4 = multiply(X, YY4);
    const doubledX = subtract(subtract(multiply(R, R), scale(multiply(Z, Z), A)), scale(XYY4, 2n));
    Y = subtract(multiply(R, subtract(XYY4, doubledX)), scale(multiply(YY4, YY4), field.inv(2n)));
    X = doubledX;
  }
  // Summand that leads to the target: (N / D², K / D³).
  const ZZ = multiply(Z, Z);
  const E = subtract(X, scale(ZZ, target.u));
  const EE = multiply(E, E);
  const M = add(scale(multiply(ZZ, Z), target.v), Y);
  const D = multiply(Z, E);
  const DD = multiply(D, D);
  const XEE = multiply(X, EE);
  const N = subtract(subtract(multiply(M, M), scale(DD, A + target.u)), XEE);
  const K = add(multiply(Y, multiply(EE, E)), multiply(M, subtract(N, XEE)));
  // It is Q0 + Q0 by a slope λ iff λ = (v + v0) / (u0 − u) and λ² = u + A + 2 u0.
  const left = add(K, scale(multiply(DD, D), Q0.v));
  const span = subtract(scale(DD, Q0.u), N);
  const right = multiply(multiply(span, span), add(N, scale(DD, A + 2n * Q0.u)));
  for (const mu of roots(subtract(multiply(left, left), right))) {
    const d = evaluate(D, mu);
    const at = evaluate(span, mu);
    // λ = (K / D³ + v0) / (u0 − N / D²)
    if (d !== 0n && at !== 0n) return { mu, lambda: field.div(evaluate(left, mu), field.mul(d, at)) };
  }
  return null;
}

function chord(a: XY, b: XY): bigint {
  if (a.u === b.u) throw new Error("no chord");
  return field.div(modulo(b.v - a.v), modulo(b.u - a.u));
}

/** Result that the circuit computes from a slope, true or not. */
function addWith(slope: bigint, a: XY, b: XY): XY {
  const u = modulo(slope * slope - A - a.u - b.u);
  return { u, v: modulo(slope * (a.u - u) - a.v) };
}

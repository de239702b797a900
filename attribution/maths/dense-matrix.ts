/**
 * Dense linear algebra on row-major Float64Arrays: products, Cholesky factors, triangular solutions,
 * eigenvectors. Every sum has one fixed order, so results are the same to the bit on every machine: a model's
 * features are recomputed with it. The inner loops hold eight sums in registers: about three times faster than
 * plain dot products.
 */
import { attributionError } from "../attribution-errors.ts";

/** Rows of A, and of B, whose 4 × 2 sums the inner kernel holds in registers. */
const TILE_A = 4;
const TILE_B = 2;
/** Columns summed at a time: six rows of 512 float64, 24 KiB, stay in the first-level cache (32 KiB). */
const STRETCH = 512;

interface Operand {
  readonly values: Float64Array;
  readonly rowCount: number;
  /** Distance between the starts of two rows; the rows' common length unless given. */
  readonly stride: number;
  /** Index at which row 0 begins. */
  readonly offset: number;
}

/** out[i · outStride + j] += sign · A_i · B_j over `length` columns. */
function addProducts(
  a: Operand,
  b: Operand,
  length: number,
  out: { values: Float64Array; stride: number; offset: number },
  sign: 1 | -1,
): void {
  const av = a.values;
  const bv = b.values;
  const ov = out.values;
  for (let from = 0; from < length; from += STRETCH) {
    const size = Math.min(STRETCH, length - from);
    for (let i = 0; i < a.rowCount; i += TILE_A) {
      const rows = Math.min(TILE_A, a.rowCount - i);
      for (let j = 0; j < b.rowCount; j += TILE_B) {
        const columns = Math.min(TILE_B, b.rowCount - j);
        const a0 = a.offset + i * a.stride + from;
        const b0 = b.offset + j * b.stride + from;
        const o = out.offset + i * out.stride + j;
        if (rows === TILE_A && columns === TILE_B) {
          const a1 = a0 + a.stride;
          const a2 = a1 + a.stride;
          const a3 = a2 + a.stride;
          const b1 = b0 + b.stride;
          let s00 = 0;
          let s01 = 0;
          let s10 = 0;
          let s11 = 0;
          let s20 = 0;
          let s21 = 0;
          let s30 = 0;
          let s31 = 0;
          for (let k = 0; k < size; k++) {
            const x0 = bv[b0 + k]!;
            const x1 = bv[b1 + k]!;
            const y0 = av[a0 + k]!;
            const y1 = av[a1 + k]!;
            const y2 = av[a2 + k]!;
            const y3 = av[a3 + k]!;
            s00 += y0 * x0;
            s01 += y0 * x1;
            s10 += y1 * x0;
            s11 += y1 * x1;
            s20 += y2 * x0;
            s21 += y2 * x1;
            s30 += y3 * x0;
            s31 += y3 * x1;
          }
          const o1 = o + out.stride;
          const o2 = o1 + out.stride;
          const o3 = o2 + out.stride;
          ov[o] = ov[o]! + sign * s00;
          ov[o + 1] = ov[o + 1]! + sign * s01;
          ov[o1] = ov[o1]! + sign * s10;
          ov[o1 + 1] = ov[o1 + 1]! + sign * s11;
          ov[o2] = ov[o2]! + sign * s20;
          ov[o2 + 1] = ov[o2 + 1]! + sign * s21;
          ov[o3] = ov[o3]! + sign * s30;
          ov[o3 + 1] = ov[o3 + 1]! + sign * s31;
        } else {
          for (let r = 0; r < rows; r++) {
            for (let c = 0; c < columns; c++) {
              let sum = 0;
              const ar = a0 + r * a.stride;
              const bc = b0 + c * b.stride;
              for (let k = 0; k < size; k++) sum += av[ar + k]! * bv[bc + k]!;
              ov[o + r * out.stride + c] = ov[o + r * out.stride + c]! + sign * sum;
            }
          }
        }
      }
    }
  }
}

/** A (m × length) times the transpose of B (n × length): m × n. */
export function timesTransposed(
  a: Float64Array,
  m: number,
  b: Float64Array,
  n: number,
  length: number,
): Float64Array {
  const out = new Float64Array(m * n);
  const BLOCK = 64;
  for (let j = 0; j < n; j += BLOCK) {
    const right = { values: b, rowCount: Math.min(BLOCK, n - j), stride: length, offset: j * length };
    const left = { values: a, rowCount: m, stride: length, offset: 0 };
    addProducts(left, right, length, { values: out, stride: n, offset: j }, 1);
  }
  return out;
}

/** U A Uᵀ of an upper triangular U and a symmetric A (n × n): a third of the sums that timesTransposed takes for both products. */
export function congruent(upper: Float64Array, a: Float64Array, n: number): Float64Array {
  const half = new Float64Array(n * n);
  const out = new Float64Array(n * n);
  const BLOCK = 64;
  const from = (values: Float64Array, row: number, column: number, rowCount: number) => ({
    values,
    rowCount,
    stride: n,
    offset: row * n + column,
  });
  for (let at = 0; at < n; at += BLOCK) {
    const rows = Math.min(BLOCK, n - at);
    // U has zeros before its diagonal.
    addProducts(from(upper, at, at, rows), from(a, 0, at, n), n - at, from(half, at, 0, rows), 1);
  }
  for (let at = 0; at < n; at += BLOCK) {
    const right = from(upper, at, at, Math.min(BLOCK, n - at));
    addProducts(from(half, at, at, n - at), right, n - at, from(out, at, at, n - at), 1);
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[j * n + i] = out[i * n + j]!;
  return out;
}

/** Transpose of `a` (m × n): n × m. */
export function transpose(a: Float64Array, m: number, n: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = a[i * n + j]!;
  return out;
}

/**
 * Replaces the lower triangle of the symmetric `a` (n × n) by its Cholesky factor L, a = L Lᵀ. The upper triangle is
 * not read; what is left in it means nothing. @throws ATT_INPUT_INVALID
 */
export function choleskyInPlace(a: Float64Array, n: number): void {
  const PANEL = 32;
  for (let start = 0; start < n; start += PANEL) {
    const width = Math.min(PANEL, n - start);
    // Rows of the panel's diagonal block first, then all rows below it: subtract what the columns before explain.
    const diagonal = { values: a, rowCount: width, stride: n, offset: start * n };
    const below = { values: a, rowCount: n - start, stride: n, offset: start * n };
    addProducts(below, diagonal, start, { values: a, stride: n, offset: start * n + start }, -1);
    for (let j = start; j < start + width; j++) {
      let pivot = a[j * n + j]!;
      for (let k = start; k < j; k++) pivot -= a[j * n + k]! * a[j * n + k]!;
      if (!(pivot > 0)) {
        throw attributionError("ATT_INPUT_INVALID", `pivot ${j} of ${n} is ${pivot}`, {
          data: { reason: "not-positive-definite", index: j, size: n },
        });
      }
      const root = Math.sqrt(pivot);
      a[j * n + j] = root;
      for (let i = j + 1; i < n; i++) {
        let value = a[i * n + j]!;
        for (let k = start; k < j; k++) value -= a[i * n + k]! * a[j * n + k]!;
        a[i * n + j] = value / root;
      }
    }
  }
}

/**
 * Solves L y = b for every row b of `rhs` (count × n), in place: y = L⁻¹ b. Works on blocks of columns, so that the
 * factor is read once for many right-hand sides.
 */
export function solveLower(factor: Float64Array, n: number, rhs: Float64Array, count: number): void {
  const BLOCK = 32;
  for (let start = 0; start < n; start += BLOCK) {
    const width = Math.min(BLOCK, n - start);
    const left = { values: rhs, rowCount: count, stride: n, offset: 0 };
    const right = { values: factor, rowCount: width, stride: n, offset: start * n };
    addProducts(left, right, start, { values: rhs, stride: n, offset: start }, -1);
    for (let r = 0; r < count; r++) {
      const row = r * n;
      for (let j = start; j < start + width; j++) {
        let value = rhs[row + j]!;
        for (let k = start; k < j; k++) value -= factor[j * n + k]! * rhs[row + k]!;
        rhs[row + j] = value / factor[j * n + j]!;
      }
    }
  }
}

/** Solves Lᵀ y = b for every row b of `rhs` (count × n), in place. */
export function solveLowerTransposed(
  factor: Float64Array,
  n: number,
  rhs: Float64Array,
  count: number,
): void {
  const BLOCK = 32;
  for (let start = Math.floor((n - 1) / BLOCK) * BLOCK; start >= 0; start -= BLOCK) {
    const end = Math.min(start + BLOCK, n);
    for (let r = 0; r < count; r++) {
      const at = r * n;
      for (let j = end - 1; j >= start; j--) {
        const value = rhs[at + j]! / factor[j * n + j]!;
        rhs[at + j] = value;
        for (let k = start; k < j; k++) rhs[at + k] = rhs[at + k]! - value * factor[j * n + k]!;
      }
    }
    // The solved block leaves the columns before it, four of its rows at a time.
    for (let from = 0; from < start; from += STRETCH) {
      const to = Math.min(from + STRETCH, start);
      for (let r = 0; r < count; r++) {
        const at = r * n;
        for (let j = start; j < end; j += 4) {
          const y0 = rhs[at + j]!;
          const y1 = j + 1 < end ? rhs[at + j + 1]! : 0;
          const y2 = j + 2 < end ? rhs[at + j + 2]! : 0;
          const y3 = j + 3 < end ? rhs[at + j + 3]! : 0;
          const f0 = j * n;
          const f1 = Math.min(j + 1, end - 1) * n;
          const f2 = Math.min(j + 2, end - 1) * n;
          const f3 = Math.min(j + 3, end - 1) * n;
          for (let k = from; k < to; k++) {
            rhs[at + k] =
              rhs[at + k]! -
              (y0 * factor[f0 + k]! + y1 * factor[f1 + k]! + y2 * factor[f2 + k]! + y3 * factor[f3 + k]!);
          }
        }
      }
    }
  }
}

/** (L Lᵀ)⁻¹ b for every row b of `rhs`, in place. */
export function solveCholesky(factor: Float64Array, n: number, rhs: Float64Array, count: number): void {
  solveLower(factor, n, rhs, count);
  solveLowerTransposed(factor, n, rhs, count);
}

/**
 * Eigenvalues (descending) and eigenvectors of a symmetric matrix: Householder's tridiagonal form, then implicit QL
 * steps. @returns vectors as rows, each of length 1, with the entry of largest magnitude positive.
 */
export function symmetricEigen(
  matrix: Float64Array,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  const z = matrix.slice();
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  reduceToTridiagonal(z, d, e, n);
  joinReflections(z, d, n);
  // Rotations act on pairs of vectors: keep those as rows.
  const rows = transpose(z, n, n);
  implicitQl(d, e, n, rows);
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => d[j]! - d[i]! || i - j);
  const values = Float64Array.from(order, (i) => d[i]!);
  const vectors = new Float64Array(n * n);
  for (const [to, from] of order.entries()) {
    const row = rows.subarray(from * n, (from + 1) * n);
    const sign = signOf(row);
    for (let k = 0; k < n; k++) vectors[to * n + k] = sign * row[k]!;
  }
  return { values, vectors };
}

/** -1 where the entry of largest magnitude is negative. */
export function signOf(vector: Float64Array): 1 | -1 {
  let largest = 0;
  for (const x of vector) if (Math.abs(x) > Math.abs(largest)) largest = x;
  return largest < 0 ? -1 : 1;
}

/**
 * Householder's reduction to a tridiagonal matrix: its diagonal stays in z, e[1 …] is the off-diagonal. Row i of z has the
 * reflection's vector of length i, d[i] half of its square, 0 for none; column i has the vector over that.
 */
export function reduceToTridiagonal(z: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  for (let i = n - 1; i > 0; i--) {
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(z[i * n + k]!);
    let h = 0;
    if (i === 1 || scale === 0) {
      e[i] = z[i * n + i - 1]!;
    } else {
      for (let k = 0; k < i; k++) {
        const x = z[i * n + k]! / scale;
        z[i * n + k] = x;
        h += x * x;
      }
      const f = z[i * n + i - 1]!;
      const g = f >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * g;
      h -= f * g;
      z[i * n + i - 1] = f - g;
      // e[0 … i − 1] becomes A u / h: row by row, with both halves of the symmetric matrix in one pass.
      e.fill(0, 0, i);
      for (let j = 0; j < i; j++) {
        const u = z[i * n + j]!;
        let sum = 0;
        for (let k = 0; k < j; k++) {
          sum += z[j * n + k]! * z[i * n + k]!;
          e[k] = e[k]! + z[j * n + k]! * u;
        }
        e[j] = e[j]! + sum + z[j * n + j]! * u;
      }
      let uAu = 0;
      for (let j = 0; j < i; j++) {
        z[j * n + i] = z[i * n + j]! / h;
        e[j] = e[j]! / h;
        uAu += e[j]! * z[i * n + j]!;
      }
      const half = uAu / (h + h);
      for (let j = 0; j < i; j++) e[j] = e[j]! - half * z[i * n + j]!;
      for (let j = 0; j < i; j++) {
        const f2 = z[i * n + j]!;
        const g2 = e[j]!;
        for (let k = 0; k <= j; k++) {
          z[j * n + k] = z[j * n + k]! - (f2 * e[k]! + g2 * z[i * n + k]!);
        }
      }
    }
    d[i] = h;
  }
  d[0] = 0;
  e[0] = 0;
}

/** Replaces a reduction: the columns of z become the transformation, d the diagonal. */
function joinReflections(z: Float64Array, d: Float64Array, n: number): void {
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (d[i] !== 0) {
      sums.fill(0, 0, i);
      for (let k = 0; k < i; k++) {
        const factor = z[i * n + k]!;
        for (let j = 0; j < i; j++) sums[j] = sums[j]! + factor * z[k * n + j]!;
      }
      for (let k = 0; k < i; k++) {
        const factor = z[k * n + i]!;
        for (let j = 0; j < i; j++) z[k * n + j] = z[k * n + j]! - sums[j]! * factor;
      }
    }
    d[i] = z[i * n + i]!;
    z[i * n + i] = 1;
    for (let j = 0; j < i; j++) {
      z[j * n + i] = 0;
      z[i * n + j] = 0;
    }
  }
}

/**
 * Diagonalises a tridiagonal matrix by QL steps with implicit shifts (EISPACK imtql2): `d` becomes its eigenvalues,
 * unordered, and each rotation is applied to the rows of `rows` (n × n), where there are any.
 * @throws ATT_INPUT_INVALID after 60 steps for one eigenvalue
 */
export function implicitQl(d: Float64Array, e: Float64Array, n: number, rows: Float64Array | null): void {
  for (let i = 1; i < n; i++) e[i - 1] = e[i]!;
  e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let round = 0; ; round++) {
      let m = l;
      while (m < n - 1) {
        const size = Math.abs(d[m]!) + Math.abs(d[m + 1]!);
        if (Math.abs(e[m]!) + size === size) break;
        m += 1;
      }
      if (m === l) break;
      if (round > 60)
        throw attributionError("ATT_INPUT_INVALID", "the eigenvalues do not converge", {
          data: { reason: "not-positive-definite" },
        });
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.sqrt(g * g + 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i]!;
        const b = c * e[i]!;
        r = Math.sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] = d[i + 1]! - p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        if (rows === null) continue;
        const upper = (i + 1) * n;
        const lower = i * n;
        for (let k = 0; k < n; k++) {
          const f2 = rows[upper + k]!;
          rows[upper + k] = s * rows[lower + k]! + c * f2;
          rows[lower + k] = c * rows[lower + k]! - s * f2;
        }
      }
      if (r === 0 && i >= l) continue;
      d[l] = d[l]! - p;
      e[l] = g;
      e[m] = 0;
    }
  }
}

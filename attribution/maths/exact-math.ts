/**
 * exp and log that give the same bits on every machine. ECMAScript leaves the last bits of Math.exp and
 * Math.log to the engine, but fixes +, −, ×, ÷ and Math.sqrt to IEEE 754: everything here uses only those. The
 * approximations are those of fdlibm (e_exp.c, e_log.c, Sun Microsystems 1993), good to one unit in the last
 * place. Trainings and language models compute by it.
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** exp overflows above this and is 0 below the other: fdlibm's thresholds. */
const EXP_OVERFLOW = 709.782712893384;
const EXP_UNDERFLOW = -745.1332191019411;
const MIN_EXPONENT = -1022;

/** 2^k for −1022 ≤ k ≤ 1023, each by exact doubling or halving. */
const POWER_OF_TWO = (() => {
  const table = new Float64Array(2046);
  table[1022] = 1;
  for (let k = 1; k <= 1023; k++) table[1022 + k] = table[1021 + k]! * 2;
  for (let k = -1; k >= MIN_EXPONENT; k--) table[1022 + k] = table[1023 + k]! / 2;
  return table;
})();

export function exactExp(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x > EXP_OVERFLOW) return Number.POSITIVE_INFINITY;
  if (x < EXP_UNDERFLOW) return 0;
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c =
    r -
    t *
      (0.16666666666666602 +
        t *
          (-2.7777777777015593e-3 +
            t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8))));
  const y = 1 - (low - (r * c) / (2 - c) - high);
  if (k > 1023) return y * 2 * POWER_OF_TWO[1022 + k - 1]!;
  if (k >= MIN_EXPONENT) return y * POWER_OF_TWO[1022 + k]!;
  // A subnormal result: scale in two steps, so that it is rounded once.
  return y * POWER_OF_TWO[1022 + k + 100]! * POWER_OF_TWO[922]!;
}

const bits = new DataView(new ArrayBuffer(8));
const TWO_54 = 18014398509481984;

export function exactLog(x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  let k = 0;
  let scaled = x;
  if (scaled < POWER_OF_TWO[0]!) {
    scaled *= TWO_54;
    k -= 54;
  }
  bits.setFloat64(0, scaled);
  const head = bits.getUint32(0);
  k += (head >>> 20) - 1023;
  bits.setUint32(0, (head & 0xfffff) | 0x3ff00000);
  let m = bits.getFloat64(0);
  // The mantissa is in [√½, √2): the series below converges fastest around 1.
  if (m > Math.SQRT2) {
    m /= 2;
    k += 1;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const t1 = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const t2 =
    z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + t1 + t2) + k * LN2_LOW) - f);
}

/**
 * Softmax of `logits[at … at + count)` written over itself. @returns log Σ exp of the logits.
 */
export function softmaxInPlace(logits: Float64Array, at: number, count: number): number {
  let max = logits[at]!;
  for (let c = 1; c < count; c++) if (logits[at + c]! > max) max = logits[at + c]!;
  let sum = 0;
  for (let c = 0; c < count; c++) {
    const e = exactExp(logits[at + c]! - max);
    logits[at + c] = e;
    sum += e;
  }
  for (let c = 0; c < count; c++) logits[at + c] = logits[at + c]! / sum;
  return max + exactLog(sum);
}

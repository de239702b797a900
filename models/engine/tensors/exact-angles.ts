/**
 * Sine and cosine that give the same bits on every machine: only +, −, × in IEEE 754's order. rotary-table.ts computes
 * by it.
 */

/** 2 / π. */
const TWO_OVER_PI = 0.6366197723675814;
/** π / 2 in three parts; k times the first two is exact for k below 2^20. */
const HALF_PI = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;

/** @param angle below 10^6 in size. @returns [cosine, sine], each within 10^-14 */
export function exactAngle(angle: number): [number, number] {
  const quarter = Math.round(angle * TWO_OVER_PI);
  const x = angle - quarter * HALF_PI[0] - quarter * HALF_PI[1] - quarter * HALF_PI[2];
  const z = x * x;
  let sine = 0;
  let cosine = 0;
  // Taylor's series: |x| ≤ π / 4, so the first term that is left out is below 10^-15.
  for (let n = 16; n >= 2; n -= 2) {
    cosine = (1 + cosine) * (-z / (n * (n - 1)));
    sine = (1 + sine) * (-z / (n * (n + 1)));
  }
  cosine += 1;
  sine = x * (1 + sine);
  const turns = ((quarter % 4) + 4) % 4;
  if (turns === 0) return [cosine, sine];
  if (turns === 1) return [-sine, cosine];
  if (turns === 2) return [-cosine, -sine];
  return [sine, -cosine];
}

/** Measures why an epoch is not paid by the sum of its queries: an attack that drawn payments do not allow. */
import { expect, it } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import { integerScores } from "../scores/integer-scores.ts";

// Why each draw is paid by its own query (docs/explanation/attribution-proof.md): honest queries point everywhere and cancel in their
// sum, a payer's own do not.
const FEATURES = 64;
const OWNERS = 20;
const PAYMENTS = 1000;
const PAID_PART = 0.05;

const random = new SeededRandom("summed-query");
const sign = () => 2 * random.nextBelow(2) - 1;
/** One row an owner, the attacker's first. */
const rows = Array.from({ length: OWNERS }, () => Array.from({ length: FEATURES }, () => 100 * sign()));
const matrix = Int8Array.from(rows.flat());
const honest = Array.from({ length: PAYMENTS * (1 - PAID_PART) }, () =>
  Int16Array.from({ length: FEATURES }, () => 255 * sign()),
);
const attacking = Array.from({ length: PAYMENTS * PAID_PART }, () =>
  Int16Array.from(rows[0]!, (g) => 255 * Math.sign(g)),
);

const attackersShare = (query: Int16Array) => {
  const scores = integerScores({ features: matrix, rowCount: OWNERS, featureCount: FEATURES, query });
  const positive = scores.reduce((sum, score) => sum + Math.max(0, score), 0);
  return positive === 0 ? 1 / OWNERS : Math.max(0, scores[0]!) / positive;
};

it("would let 5 % of the money steer most rewards if an epoch were paid by its summed query; draws do not", () => {
  const sum = Array.from({ length: FEATURES }, (_, j) =>
    [...honest, ...attacking].reduce((total, query) => total + query[j]!, 0),
  );
  const largest = Math.max(...sum.map(Math.abs));
  const summed = Int16Array.from(sum, (x) => 2 * Math.floor((x / largest) * 127) + 1);

  const drawn = [...honest, ...attacking].map(attackersShare);
  const byDraws = drawn.reduce((total, share) => total + share, 0) / PAYMENTS;
  const honestMean = drawn.slice(0, honest.length).reduce((total, share) => total + share, 0) / honest.length;
  expect(honestMean).toBeCloseTo(1 / OWNERS, 1);
  expect(byDraws).toBeLessThanOrEqual(honestMean + PAID_PART);
  // The summed query would give several times as much for the same money.
  expect(attackersShare(summed)).toBeGreaterThan(5 * byDraws);
});

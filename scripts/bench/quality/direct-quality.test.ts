/** Test that the bench measures sets as they are: Iris has flowers of equal numbers, which no version has. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, expect, it } from "vitest";
import { openCorpus } from "./corpora.ts";
import { measureDirect, REGISTERED } from "./direct-quality.ts";

beforeAll(() => initPoseidon());

it("measures rows that stand twice, and what is paid where it is asked for", async () => {
  const corpus = openCorpus("iris");
  const sizes = { rowCount: 100, queryCount: 10, subsetCount: 4, leaveOneOutCount: 0, bitCounts: [10] };
  const { paid, ways } = await measureDirect({ corpus, ...sizes });
  expect(paid).toBeNull();
  expect(ways.find(({ way }) => way === REGISTERED)!.lds!.value).toBeGreaterThan(0.3);

  const rows = [...new Map(corpus.rows.map((row) => [row.input, row])).values()];
  const once = await measureDirect({ corpus: { ...corpus, rows }, ...sizes, withPaid: true });
  const registered = once.ways.find(({ way }) => way === REGISTERED)!.lds!.value;
  expect(once.paid!.scores).toBeCloseTo(registered, 1);
  expect(once.paid!.byStrength.map(({ permille }) => permille)).toEqual([0, 400, 1_000, 2_000, 4_000]);
  expect(once.paid!.byStrength[0]!.unpaid).toBeGreaterThan(once.paid!.byStrength[4]!.unpaid);
});

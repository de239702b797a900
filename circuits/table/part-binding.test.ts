/** Shows for each part of a batch circuit that the commitment C fixes what the part states. */
import { beforeAll, describe, expect, it } from "vitest";
import { hostilePatterns, type Pattern } from "../testing/binding/hostile-parts.ts";
import { PartBinding, type PartReport, type PartSort } from "../testing/binding/part-binding.ts";

interface Examined {
  readonly part: PartBinding;
  readonly patterns: readonly Pattern[];
  readonly witnesses: readonly bigint[][];
  readonly reports: readonly PartReport[];
}
const SORTS: readonly PartSort[] = ["transfer", "member", "row", "unit"];
const examined = new Map<PartSort, Examined>();
beforeAll(async () => {
  for (const sort of SORTS) {
    const part = await PartBinding.compile(sort);
    const patterns = hostilePatterns(sort);
    const witnesses: bigint[][] = [];
    for (const { inputs } of patterns) witnesses.push(await part.tester.calculateWitness(inputs));
    const reports = witnesses.map((witness) => part.report(witness));
    examined.set(sort, { part, patterns, witnesses, reports });
  }
}, 600_000);

/**
 * True for factors that a signature's check computes from its points: they are in no term. A rollup's domain
 * is a hash, never 0.
 */
const isOfSignatures = (factor: string) => /main\.head\.check\.|^main\.domain,/.test(factor);

describe.each(SORTS)("what C absorbs of a %s", (sort) => {
  it("fixes its terms and what it shows under every pattern", () => {
    const { part, patterns, witnesses, reports } = examined.get(sort)!;
    for (const [i, { what }] of patterns.entries()) {
      expect(part.tester.checkConstraints(witnesses[i]!), what).toBeNull();
      expect(reports[i]!.free, what).toEqual([]);
    }
  });

  // Otherwise the patterns would be a choice of ours: a rule that divides by a flag proves nothing about witnesses with the flag 0.
  it("is asked about with a 0 and without one in every factor that a rule depends on", () => {
    const { part, witnesses, reports } = examined.get(sort)!;
    expect(part.oneSided(reports, witnesses).filter((factor) => !isOfSignatures(factor))).toEqual([]);
    // One witness is one case of each, however honest.
    const alone = part.oneSided(reports.slice(0, 1), witnesses.slice(0, 1));
    expect(alone.filter((factor) => !isOfSignatures(factor))).not.toEqual([]);
  });
});

describe("a rule that holds null slots", () => {
  it.each(["transfer", "member"] as const)(
    "of a %s, core and next nonce are 0, is missed only there",
    (sort) => {
      const { part, patterns, witnesses } = examined.get(sort)!;
      const without = part.rowsOf("main.core", "main.nextBits[0]");
      expect(without).toHaveLength(1);
      const freeOf = (at: number) => part.report(witnesses[at]!, without).free.join("\n");
      const [used, empty] = ["used", "null"].map((is) =>
        patterns.findIndex(({ what }) => what.startsWith(is)),
      );
      expect(freeOf(used!)).toBe("");
      expect(freeOf(empty!)).toContain("main.core is free after C");
    },
  );
});

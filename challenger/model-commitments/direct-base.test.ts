/** The base of a direct model: an exact function of the posted lengths, of which L1 refutes every other value. */
import { baseEntries } from "@openledger/attribution/features/direct-base";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { expect, test } from "vitest";
import type { CommittedModel } from "../statements/committed-model.ts";
import { numberBytes, readEntries, readNumbers } from "../statements/direct-arithmetic.ts";
import { type DirectFault, findDirectFaults } from "../statements/direct-faults.ts";
import { directModelCommitment } from "../statements/direct-model-commitment.ts";
import { directCase, registeredDirect, shortEmails } from "./testing/direct-case.ts";
import { lie, startDisputes, withLeaf } from "./testing/dispute-fixture.ts";

const [ROWS, BUCKETS, STRENGTH] = [24, 64, 300];
const WIDTH = BUCKETS + 1;
const FIRST = BUCKETS - 10;
const rules = (flatPermille: number): DirectRecipe["rules"] => ({
  ...{ normQuantile: 0.9, nearDuplicatesShare: true, base: { flatPermille } },
});
const f = started(() => startDisputes({ mostRows: ROWS }));
// Two rows are near-duplicates, and share one base.
const rows = shortEmails(ROWS - 1);
const again = Buffer.from(rows[4]!.content).toString().replace('"text":"', '"text":"again ');
const copy = { ...rows[4]!, content: Buffer.from(again) };
const made = started(() => directCase(rows.toSpliced(5, 0, copy), { rules: rules(STRENGTH) }));
revertEachTest(() => f);

const judged = async (posted: CommittedModel, fault: DirectFault) =>
  (await f.judged(made, await f.post(posted), posted, fault)) ?? "accepted";

/** The model registered with other entries: columns, points, digests and statics fit to them. */
function registered(change: (values: Int16Array) => void): CommittedModel {
  const values = made.model.features.values.slice();
  change(values);
  const features = { ...made.model.features, values };
  return directModelCommitment(registeredDirect({ ...made.trained, features }), made.contents, 11);
}
const baseOf = (posted: CommittedModel, row: number) =>
  Array.from(readEntries(posted.leaves.features[row]!, WIDTH)!.subarray(FIRST, BUCKETS));

test("an honest owner's has no wrong place, and near-duplicates share", async () => {
  const posted = made.honest;
  expect([...findDirectFaults(posted, made.rows)]).toEqual([]);
  const units = baseOf(posted, 0)[1]!;
  expect(units).toBeGreaterThan(8);
  expect(baseOf(posted, 0)).toEqual(baseEntries(units));
  expect([4, 5].map((row) => baseOf(posted, row)[1])).toEqual([units >> 1, units >> 1]);
  const id = await f.post(posted);
  for (const row of [0, 4, 5, ROWS - 1])
    for (const column of [FIRST, FIRST + 1, FIRST + 5, FIRST + 9])
      expect(await f.judged(made, id, posted, { kind: "base", row, column })).toBe("DisputesNothingWrong");
  // What has no influence on it is right, too, and no place of the one kind is judged as the other.
  for (const fault of [
    { kind: "entry", row: 2, column: BUCKETS },
    { kind: "entry", row: 2, column: FIRST - 1 },
    { kind: "rowLength", row: 2 },
    { kind: "residual", row: 2 },
    ...[{ kind: "logit" }, { kind: "peak" }, { kind: "statics" }],
    { kind: "optimum", bucket: FIRST },
    { kind: "curvature", a: FIRST, b: FIRST },
    { kind: "inverse", a: FIRST, b: 3 },
  ] as const)
    expect(await f.judged(made, id, posted, fault)).toBe("DisputesNothingWrong");
  expect(await f.judged(made, id, posted, { kind: "entry", row: 2, column: FIRST })).toBe(
    "DisputesOpeningInvalid",
  );
  for (const column of [FIRST - 1, BUCKETS])
    expect(await f.judged(made, id, posted, { kind: "base", row: 2, column })).toBe("DisputesOpeningInvalid");
});

test.each([
  ["off by one in the first row", 0, 1, 1],
  ["off by one in the last row, for the other class", ROWS - 1, 9, -1],
  ["a copy's whole share", 5, 2, null],
])("a base that is %s is found and refuted", async (_, row, place, by) => {
  const posted = registered((values) => {
    const at = row * WIDTH + FIRST + place;
    values[at] = by === null ? 2 * values[at]! : values[at]! + by;
  });
  expect([...findDirectFaults(posted, made.rows)].map(({ kind }) => kind)).toEqual(["base"]);
  const fault = { kind: "base", row, column: FIRST + place } as const;
  expect([...findDirectFaults(posted, made.rows)][0]).toEqual(fault);
  expect(await judged(posted, fault)).toBe("accepted");
});

test("a base of another policy, in the matrix, in the numbers, or in both", async () => {
  const other = (await directCase(made.rows, { rules: rules(STRENGTH + 1) })).honest;
  const matrix = registered((values) => {
    for (let k = 0; k < ROWS; k++) values.set(baseOf(other, k), k * WIDTH + FIRST);
  });
  // A strength that is one thousandth more is none of the units here.
  const doubled = (await directCase(made.rows, { rules: rules(2 * STRENGTH) })).honest;
  const faultsOf = (posted: CommittedModel) =>
    [...findDirectFaults(posted, made.rows)].map(({ kind }) => kind);
  expect(new Set([...faultsOf(matrix), "base"])).toEqual(new Set(["base"]));
  const numbers = (base: bigint) => numberBytes({ ...readNumbers(made.honest.leaves.map[0]!), base });
  const said = lie(made, withLeaf(made, "map", 0, numbers(600n))).posted;
  expect(faultsOf(said)).toContain("base");
  expect(await judged(said, { kind: "base", row: 0, column: FIRST })).toBe("accepted");
  const both = lie(made, { ...withLeaf(made, "map", 0, numbers(600n)), features: doubled.leaves.features });
  expect(faultsOf(both.posted)).toContain("statics");
  expect(await judged(both.posted, { kind: "statics" })).toBe("accepted");
});

test("a strength out of range, none beside columns of a base, and a peak in the base are refuted", async () => {
  const numbers = readNumbers(made.honest.leaves.map[0]!);
  for (const base of [1_001n, 0n]) {
    const posted = lie(made, withLeaf(made, "map", 0, numberBytes({ ...numbers, base }))).posted;
    const found = [...findDirectFaults(posted, made.rows)];
    expect(found.map(({ kind }) => kind)).toContain(base === 0n ? "base" : "peak");
    expect(await judged(posted, { kind: "statics" })).toBe("accepted");
    expect(await judged(posted, found[0]!)).toBe("accepted");
  }
  // Attack: half the unit, and the largest entry among the base's.
  const posted = registered((values) => {
    for (let k = 0; k < ROWS * WIDTH; k++)
      if (k % WIDTH < FIRST || k % WIDTH === BUCKETS) values[k] = values[k]! >> 1;
    values[FIRST + 1] = 511;
  });
  expect(readNumbers(posted.leaves.map[0]!).peak).toBe(BigInt(FIRST + 1));
  const fault = { kind: "base", row: 0, column: FIRST + 1 } as const;
  expect([...findDirectFaults(posted, made.rows)]).toContainEqual(fault);
  expect(await judged(posted, fault)).toBe("accepted");
});

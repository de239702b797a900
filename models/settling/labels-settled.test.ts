/** Small classifiers of any kind and number of labels, from rows to a settlement that the circuit accepts. */
import type { DirectFeatures } from "@openledger/attribution/features/direct-rows";
import { chooseInputs } from "@openledger/attribution/inputs/choose-inputs";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { payeeTable } from "@openledger/attribution/model/payee-table";
import { commitFeatures, directMatrix } from "@openledger/attribution/model/registration";
import { inputOf } from "@openledger/attribution/rows/row-content";
import type { InputKind } from "@openledger/attribution/rows/row-kinds";
import { encodeTableRow, type TableField } from "@openledger/attribution/rows/table-rows";
import { madeLabels, madeText } from "@openledger/attribution/testing/made-rows";
import { digitFile, PIXEL_COUNT } from "@openledger/attribution/testing/mnist-digits";
import { recipeFor } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type DirectQuery, pairOf } from "@openledger/circuits/ledger/direct-query";
import { settlementCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import type { DirectMatrix } from "@openledger/circuits/settlement/scores/direct-matrix";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { CircuitTester } from "@openledger/circuits/testing/circuit-tester";
import { acceptedWitness, closedEpoch } from "@openledger/circuits/testing/settlement/settlement-world";
import { partOf } from "@openledger/foundation/testing/test-random";
import { expect, test } from "vitest";

const SIZE = { rows: 16, features: 32, payees: 4, payments: 4, draws: 2, isDirect: true } as const;
const ROWS = 14;
const FIELDS: readonly TableField[] = [
  { name: "size", type: "number" },
  { name: "colour", type: "category" },
];

await initPoseidon();
const tester = await CircuitTester.compileSpec(settlementCircuitSpec(SIZE));

/** A row of a kind and label. */
function contentOf(kind: InputKind, label: number, random: SeededRandom): Uint8Array {
  if (kind === "text") return new TextEncoder().encode(madeText(label, random));
  if (kind === "table")
    return encodeTableRow(FIELDS, [10 * label + random.nextBelow(1_000) / 100, `colour ${label % 3}`]);
  // A bright bar at a height of its own.
  const levels = Uint8Array.from({ length: PIXEL_COUNT }, (_, p) =>
    Math.floor(p / 28 / 4) === label ? 255 - random.nextBelow(40) : random.nextBelow(40),
  );
  return digitFile(levels);
}

async function settled(kind: InputKind, labelCount: number) {
  const random = new SeededRandom(`${kind}/${labelCount}`);
  const classes = madeLabels(labelCount);
  const rows = Array.from({ length: ROWS }, (_, k): OwnedRow => {
    const label = k % labelCount;
    const content = contentOf(kind, label, random);
    return { content, label: classes[label]!, contributorId: 5 + Math.floor(k / 5), validatorId: 8 };
  });
  const inputs = await chooseInputs(
    { kind, fields: kind === "table" ? FIELDS : [] },
    rows.map(({ content }) => content),
    { bucketCount: SIZE.features, baseBuckets: 0 },
  );
  const recipe = recipeFor(rows, SIZE.features, {
    inputs,
    classes,
    rules: { normQuantile: 0.9, nearDuplicatesShare: true },
  });
  const trained = await trainDirect(rows, recipe, { withHeldOut: false });
  const model = await directFamily.open(trained);
  const payees = payeeTable(rows);
  const matrix = directMatrix(trained.features as DirectFeatures);
  const queries = Array.from({ length: SIZE.payments }, (_, i) => {
    const prompt = inputOf(kind, contentOf(kind, i % labelCount, random));
    return model.answer(prompt).query as DirectQuery;
  });
  const epoch = closedEpoch<DirectMatrix, DirectQuery>(
    {
      size: SIZE,
      seed: labelCount,
      rowCounts: payees.map(({ rowCount }) => rowCount),
      amountsWei: queries.map(() => 10n ** 18n),
    },
    {
      features: () => ({
        matrix,
        columns: commitFeatures({ features: trained.features, payees }),
        answeringHash: 7n,
      }),
      query: (_, payment) => queries[payment]!,
    },
  );
  return { settlement: settleEpoch(epoch), queries };
}

const cases = (["text", "table", "image"] as const).flatMap((kind) =>
  [2, 3, 7].map((count) => [kind, count] as const),
);

// In the core each kind, with as many labels as each number.
test.each(partOf(cases, 2))(
  "rows of kind %s with %i labels are paid by a settlement",
  { timeout: 300_000 },
  async (kind, labelCount) => {
    const { queries, settlement } = await settled(kind, labelCount);
    const witness = await acceptedWitness(tester, settlement);
    expect(tester.checkConstraints(witness)).toBeNull();
    expect(settlement.draws.every(({ isValid }) => isValid)).toBe(true);
    expect(settlement.draws.some(({ scores }) => scores.some((score) => score > 0n))).toBe(true);
    const pairs = new Set(queries.map(({ pair }) => pair));
    for (const pair of pairs) expect(pairOf(pair)[1]).toBeLessThan(labelCount);
    if (labelCount === 7) expect(pairs.size).toBeGreaterThan(1);
  },
);

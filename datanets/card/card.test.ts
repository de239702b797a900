import { describe, expect, it } from "vitest";
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

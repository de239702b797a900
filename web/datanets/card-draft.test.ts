import { nameCard } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { expect, it } from "vitest";
import { cardOfDraft, draftOf, EMPTY_DRAFT } from "./card-draft.ts";

const CITED = sampleCard({ rewards: { ...sampleCard().rewards, citationPermille: 400 } });

it("gives the same card, and so the same hash, where nothing was changed", () => {
  const fields = [{ name: "text", type: "text", description: "What is said." }] as const;
  for (const card of [
    sampleCard(),
    sampleCard({ row: { kind: "json", fields: [...fields], maxBytes: 900 }, access: "permissioned" }),
    sampleCard({ labels: [], examples: [], languages: [], tags: [], instructions: "" }),
    CITED,
  ])
    expect(nameCard(cardOfDraft(draftOf(card), card)).policy).toBe(nameCard(card).policy);
});

it("says what goes by citation only where something is written", () => {
  const rewardsOf = (citation: string) =>
    (cardOfDraft({ ...draftOf(CITED), citation }, CITED) as typeof CITED).rewards;
  expect(rewardsOf("25").citationPermille).toBe(250);
  expect(rewardsOf(" ")).not.toHaveProperty("citationPermille");
});

it("is no card while it is empty, and names the fields that are wrong", () => {
  expect(() => nameCard(cardOfDraft(EMPTY_DRAFT, null))).toThrow(
    expect.objectContaining({
      code: "DNT_CARD_INVALID",
      data: expect.objectContaining({ fields: expect.arrayContaining(["name", "contact"]) }),
    }),
  );
});

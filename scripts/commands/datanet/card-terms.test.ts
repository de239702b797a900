/** Verdict on a card's terms in commands: that of the task, and a usage error only for an option without use. */
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { expect, test } from "vitest";
import { agreedCard } from "./card-terms.ts";

const caught = (work: () => unknown): { code?: string; data?: unknown } => {
  try {
    return work() as object;
  } catch (error) {
    return error as { code?: string; data?: unknown };
  }
};

test("refuses terms that are not signed as the task does, and a licence where there is nothing to sign", () => {
  const card = sampleCard({ licence: "CC-BY-SA-4.0", terms: { contributors: "sign" } });
  for (const licence of [undefined, "CC-BY-4.0", ""])
    expect(
      caught(() => agreedCard(10, card, licence)),
      licence,
    ).toMatchObject({ code: "DNT_TERMS_UNSIGNED", data: { datanetId: 10, licence: "CC-BY-SA-4.0" } });
  expect(agreedCard(10, card, "CC-BY-SA-4.0")).toBe(card);
  for (const free of [null, sampleCard()]) {
    expect(agreedCard(10, free, undefined)).toBeUndefined();
    expect(caught(() => agreedCard(10, free, "CC-BY-SA-4.0"))).toMatchObject({ code: "CMD_USAGE" });
  }
});

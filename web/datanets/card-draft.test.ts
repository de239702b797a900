import { type Card, nameCard } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { expect, it } from "vitest";
import {
  cardOfDraft,
  draftOf,
  EMPTY_DRAFT,
  keepTyped,
  peopleOf,
  sayDigests,
  sayOpeningCost,
  sayPeople,
  withPeople,
  withProposal,
  withTargetOf,
} from "./card-draft.ts";
import { withTask } from "./card-tasks.ts";

const CITED = sampleCard({ rewards: { ...sampleCard().rewards, citationPermille: 400 } });

it("gives the same card, and so the same hash, where nothing was changed", () => {
  const fields = [
    { name: "note", type: "text", description: "What is said." },
    { name: "age", type: "number", description: "" },
    { name: "city", type: "category", description: "" },
    { name: "churned", type: "boolean", description: "" },
  ] as const;
  for (const card of [
    sampleCard(),
    sampleCard({ row: { kind: "table", fields: [...fields], maxBytes: 900 }, access: "permissioned" }),
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
      data: expect.objectContaining({
        fields: expect.arrayContaining(["name", "contact", "licence", "access"]),
      }),
    }),
  );
});

it("leaves licence and openness to whoever opens the Datanet", () => {
  const typed = {
    ...EMPTY_DRAFT,
    name: "Clouds",
    description: "What they are called.",
    contact: "a@b.example",
  };
  expect(() => nameCard(cardOfDraft(typed, null))).toThrow(
    expect.objectContaining({ code: "DNT_CARD_INVALID" }),
  );
  const decided = { ...typed, licence: "CC0-1.0", access: "permissioned" } as const;
  expect(nameCard(cardOfDraft(decided, null)).card).toMatchObject({
    licence: "CC0-1.0",
    access: "permissioned",
  });
});

it("hides rows of a permissioned Datanet, says so, and keeps the form of a card from before", () => {
  const open = sampleCard();
  const plain = { ...open, access: "permissioned" as const };
  const salted = sampleCard({ access: "permissioned" });
  const rowOf = (before: Card | null, access: Card["access"]) => {
    const draft = { ...draftOf(before ?? open), access };
    return [nameCard(cardOfDraft(draft, before)).card.row.digests, sayDigests(draft, before)?.slice(0, 9)];
  };
  expect(rowOf(null, "public")).toEqual([undefined, undefined]);
  expect(rowOf(null, "permissioned")).toEqual(["salted", "Everybody"]);
  expect(rowOf(open, "permissioned")).toEqual(["salted", "Everybody"]);
  expect(sayDigests({ ...draftOf(open), access: "permissioned" }, open)).toContain("keep plain ones");
  expect(rowOf(salted, "permissioned")).toEqual(["salted", "Everybody"]);
  expect(rowOf(plain, "permissioned")).toEqual([undefined, "Hashes of"]);
  expect(rowOf(salted, "public")).toEqual([undefined, undefined]);
});

it("says how many people a row takes, and begins with one", () => {
  const labels = "good | yes";
  expect(sayPeople(EMPTY_DRAFT)).toBeNull();
  expect(sayPeople({ ...EMPTY_DRAFT, labels })).toBe(
    "Each row needs 1 person other than its contributor to label it.",
  );
  expect(sayPeople({ ...EMPTY_DRAFT, labels, annotatorsPerRow: "2" })).toMatch(
    /^Each row needs 2 people other than/,
  );
  expect(sayPeople({ ...EMPTY_DRAFT, labels, ownRows: "allowed" })).toMatch(/^One person can/);
});

it("says what opening a Datanet costs before anybody signs", () => {
  const show = (wei: bigint) => `${wei}`;
  expect(sayOpeningCost({ idFeeWei: 5n, feeWei: 1n, balanceWei: 20n }, show)).toEqual({
    total: "26 OPEN",
    parts:
      "Creating it costs 5 OPEN, which is burned, and a fee of at most 1 OPEN; 20 OPEN go to the Datanet and pay for its cards and versions.",
  });
  expect(sayOpeningCost({ idFeeWei: 5n, feeWei: null, balanceWei: null }, show).total).toBeNull();
});

it("asks who labels a row, and knows the answer of a draft again", () => {
  expect(peopleOf(EMPTY_DRAFT)).toBe("one-other");
  const both = withPeople(EMPTY_DRAFT, "both");
  expect(both).toMatchObject({ annotatorsPerRow: "2", ownRows: "allowed" });
  expect(peopleOf(both)).toBe("both");
  const three = { ...both, annotatorsPerRow: "3" };
  expect(peopleOf(three)).toBe("other");
  expect(withPeople(three, "other")).toBe(three);
});

it("takes from files what they suggest, and keeps a task and labels that somebody has chosen", () => {
  const none = { columns: [], languages: ["de", "en"], targets: [], target: null };
  const age = { name: "age", type: "number" } as const;
  const table = { ...none, kind: "table", columns: [age], fields: [age], labels: [] } as const;
  const taken = withProposal({ ...EMPTY_DRAFT, labels: "left\nstayed" }, table);
  expect(taken).toMatchObject({
    task: "predict-column",
    kind: "table",
    fields: "age | number",
    labels: "left\nstayed",
    languages: "de, en",
  });
  const texts = { ...none, kind: "passage", fields: [], labels: ["good", "bad"] } as const;
  const writing = withProposal({ ...EMPTY_DRAFT, task: "write-texts" }, texts);
  expect(writing).toMatchObject({ task: "write-texts", kind: "passage", labels: "good\nbad" });
});

it("is a card of texts, too, after files have filled in a table's fields", () => {
  const clause = { name: "clause", type: "text" } as const;
  const none = { languages: [], targets: [], target: null };
  const table = { ...none, kind: "table", columns: [clause], fields: [clause] } as const;
  const filled = withProposal(EMPTY_DRAFT, { ...table, labels: ["pays", "ends"] });
  const draft = withTask(filled, "sort-texts");
  const named = { name: "Clauses", description: "Of contracts.", contact: "a@b.example" };
  const { card } = nameCard(cardOfDraft({ ...draft, ...named, licence: "CC0-1.0", access: "public" }, null));
  expect(card.row).toMatchObject({ kind: "text", fields: [] });
  expect(withTask(draft, "predict-column").fields).toBe("clause | text");
});

it("takes a column's values as labels that nobody else has to give, and forgets them for another column", () => {
  const age = { name: "age", type: "number" } as const;
  const churned = { name: "churned", type: "category" } as const;
  const targets = [{ name: "churned", labels: ["yes", "no"] }];
  const table = { kind: "table", columns: [age, churned], languages: [], targets } as const;
  const predicting = { ...table, fields: [age], labels: ["yes", "no"], target: "churned" };
  const draft = withProposal(EMPTY_DRAFT, predicting);
  expect(draft).toMatchObject({ fields: "age | number", labels: "yes\nno" });
  expect(peopleOf(draft)).toBe("alone");
  const without = withTargetOf(draft, { ...table, fields: [age, churned], labels: [], target: null });
  expect(without).toMatchObject({ fields: "age | number\nchurned | category", labels: "" });
  expect(peopleOf(without)).toBe("one-other");
});

it("binds a new licence and a terms file, and leaves an earlier card's as it is", () => {
  const file = { format: "openledger-terms-1", about: "No.", aipref: { "train-ai": "n" } };
  const typed = {
    ...EMPTY_DRAFT,
    name: "n",
    description: "d",
    contact: "c",
    labels: "a\nb",
    access: "public",
  } as const;
  const cardFrom = (more: Partial<typeof EMPTY_DRAFT>, before: Card | null = null) =>
    nameCard(cardOfDraft({ ...typed, ...more }, before)).card;
  expect(cardFrom({ licence: "CC-BY-4.0" }).terms).toEqual({ contributors: "sign" });
  const filed = cardFrom({ licence: "CC-BY-4.0 OR MIT", termsFile: JSON.stringify(file) });
  expect(filed.licence).toMatch(/^\(CC-BY-4.0 OR MIT\) AND LicenseRef-terms-[0-9a-f]{64}$/);
  expect(cardOfDraft(draftOf(filed), filed)).toMatchObject({ licence: filed.licence, terms: filed.terms });
  expect(() => cardFrom({ licence: "ours" })).toThrow(expect.objectContaining({ code: "DNT_CARD_INVALID" }));
  expect(() => cardFrom({ licence: "MIT", termsFile: "no JSON" })).toThrow(
    expect.objectContaining({ code: "DNT_CARD_INVALID" }),
  );
  const { terms: _, ...earlier } = { ...filed, licence: "see the readme" };
  expect(cardFrom(draftOf(earlier), earlier)).toEqual(earlier);
});

it("keeps what a person types and chooses while files are read", () => {
  const columns = [{ name: "mail", type: "text" }] as const;
  const read = {
    kind: "text",
    columns,
    languages: [],
    targets: [],
    fields: [],
    labels: ["ham", "spam"],
    target: null,
  } as const;
  const typed = { ...EMPTY_DRAFT, name: "My mail", task: "predict-column", kind: "table" } as const;
  expect(keepTyped(withProposal(typed, read), typed, EMPTY_DRAFT)).toMatchObject({
    ...{ name: "My mail", task: "predict-column", kind: "table", labels: "ham\nspam" },
  });
  const labelled = { ...EMPTY_DRAFT, labels: "good\nbad" };
  expect(keepTyped(withProposal(labelled, read), labelled, EMPTY_DRAFT).labels).toBe("good\nbad");
  expect(keepTyped(withProposal(labelled, read), labelled, labelled).labels).toBe("ham\nspam");
});

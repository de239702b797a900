/** Cards of the devnet's Datanets: who labels and reviews, what is paid, who may read, and on which terms. */

import { usualRewards } from "@openledger/attribution/model/base-policy";
import { CARD_FORMAT, type Card } from "@openledger/datanets/card/card";
import type { PersonName } from "../config.ts";

/** Each labels every row; a row on which they do not all agree goes to the reviewer. */
export const LABELLERS = ["vera", "walt", "nina"] as const;
export const REVIEWER = "alice";
/** Builder of the model, who asks for access. */
export const BUILDER = "mia";

const MAX_BYTES = 16_384;
const LABELS = [
  { name: "spam", description: "Sent to many who had not asked for it." },
  { name: "ham", description: "Everything else, lists that one is on among it." },
];
/** Labels in the card's order, which is the order of a model's classes. */
export const MAIL_CLASSES = LABELS.map(({ name }) => name);

/** Terms of both archives' contents, which contributors sign with each commit. */
const TERMS = { licence: "CC0-1.0", terms: { contributors: "sign" } } as const;

export function mailCard(leaves: Readonly<Record<PersonName, number>>): Card {
  return {
    format: CARD_FORMAT,
    name: "Spam and ham",
    description:
      "Whole e-mails of 2002 and 2003 from the public SpamAssassin corpus. Their contributors, then three labellers, say which are spam.",
    field: "e-mail",
    tags: ["spam", "e-mail", "text"],
    ...TERMS,
    languages: ["en"],
    contact: "alice, who owns this Datanet of the devnet",
    row: { kind: "text", fields: [], maxBytes: MAX_BYTES, digests: "salted" },
    labels: LABELS,
    instructions: "Read the subject first. A mail about your own affairs, by name, is no spam.",
    examples: [
      {
        input: "Subject: you have won a free cruise",
        label: "spam",
        why: "The reader had not asked for it.",
      },
    ],
    access: "permissioned",
    labelling: {
      annotatorsPerRow: LABELLERS.length,
      accept: "all",
      labellers: LABELLERS.map((name) => leaves[name]),
      reviewers: [leaves[REVIEWER]],
    },
    rewards: {
      validator: "drawn",
      nearDuplicates: "leave-out",
      textSimilarityPermille: 700,
      imageSimilarityPermille: 950,
      ...usualRewards("text", LABELS.length),
    },
  };
}

/** Texts without labels: alice names who vouches for them. */
export function speechCard(leaves: Readonly<Record<PersonName, number>>): Card {
  return {
    format: CARD_FORMAT,
    name: "State of the Union",
    description:
      "Passages of speeches that presidents of the United States held after 1945 on the state of the union.",
    field: "politics",
    tags: ["speeches", "text"],
    ...TERMS,
    languages: ["en"],
    contact: "alice, who owns this Datanet of the devnet",
    row: { kind: "passage", fields: [], maxBytes: 1_024 },
    labels: [],
    instructions: "",
    examples: [],
    access: "public",
    labelling: {
      annotatorsPerRow: 1,
      accept: "all",
      labellers: "anyone",
      reviewers: [leaves[REVIEWER]],
    },
    rewards: {
      validator: "owner",
      nearDuplicates: "leave-out",
      textSimilarityPermille: 700,
      imageSimilarityPermille: 950,
      ...usualRewards("passage"),
    },
  };
}

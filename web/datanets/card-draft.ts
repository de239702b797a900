/**
 * A Datanet's card while its owner writes it: every field as text, lists by lines or commas. The card form edits it; the
 * new-card and edit pages sign the card that it becomes.
 */
import { usualRewards } from "@openledger/attribution/model/base-policy";
import { CARD_FORMAT, type Card } from "@openledger/datanets/card/card";
import type { CardProposal } from "@openledger/datanets/import/propose-card";
import { nameTerms, termsFileSchema } from "@openledger/datanets/terms/terms-file";
import { TASK_NAMES, TASKS, type TaskName, withTask } from "./card-tasks.ts";

export interface CardDraft {
  /** Task with which a new Datanet begins; empty until one is chosen. It is no part of the card. */
  readonly task: TaskName | "";
  readonly name: string;
  readonly description: string;
  readonly field: string;
  readonly tags: string;
  /** SPDX expression, with or without the terms file's name; empty until somebody has decided. */
  readonly licence: string;
  /** JSON of the terms file; empty: there is none. */
  readonly termsFile: string;
  /** Codes with commas between; empty until the rows or somebody have said them. */
  readonly languages: string;
  readonly contact: string;
  readonly kind: Card["row"]["kind"];
  /** A line each: name, type, description, with "|" between. */
  readonly fields: string;
  readonly maxBytes: string;
  /** A line each: name | description. */
  readonly labels: string;
  readonly instructions: string;
  /** A line each: label | input | why. */
  readonly examples: string;
  /** Access to the rows; empty until somebody has decided. */
  readonly access: Card["access"] | "";
  readonly annotatorsPerRow: string;
  readonly accept: Card["labelling"]["accept"];
  /** Empty: anyone. */
  readonly labellers: string;
  readonly ownRows: "allowed" | "refused";
  readonly reviewers: string;
  /** A line each: name | accounts. */
  readonly teams: string;
  readonly validator: Card["rewards"]["validator"];
  readonly nearDuplicates: Card["rewards"]["nearDuplicates"];
  readonly similarity: string;
  /** Empty: as each model's recipe says. */
  readonly citation: string;
}

export const EMPTY_DRAFT: CardDraft = {
  task: "",
  name: "",
  description: "",
  field: "general",
  tags: "",
  licence: "",
  termsFile: "",
  languages: "",
  contact: "",
  kind: "text",
  fields: "",
  maxBytes: "20000",
  labels: "",
  instructions: "",
  examples: "",
  access: "",
  // One person and one colleague can publish with it; more labels need more people.
  annotatorsPerRow: "1",
  accept: "all",
  labellers: "",
  ownRows: "refused",
  reviewers: "",
  teams: "",
  validator: "drawn",
  nearDuplicates: "leave-out",
  similarity: "70",
  citation: "",
};

/** Rewards that the form does not ask for: the values of the present card, or these. */
const OTHER_REWARDS = { imageSimilarityPermille: 950 };

export function draftOf(card: Card): CardDraft {
  const { labelling, rewards, row } = card;
  return {
    task: "",
    name: card.name,
    description: card.description,
    field: card.field,
    licence: card.licence,
    termsFile: card.terms?.file === undefined ? "" : JSON.stringify(card.terms.file, null, 2),
    tags: card.tags.join(", "),
    languages: card.languages.join(", "),
    contact: card.contact,
    kind: row.kind,
    fields: row.fields.map(({ description, name, type }) => joined(name, type, description)).join("\n"),
    maxBytes: String(row.maxBytes),
    labels: card.labels.map(({ description, name }) => joined(name, description)).join("\n"),
    instructions: card.instructions,
    examples: card.examples.map(({ input, label, why }) => joined(label, input, why)).join("\n"),
    access: card.access,
    annotatorsPerRow: String(labelling.annotatorsPerRow),
    accept: labelling.accept,
    labellers: labelling.labellers === "anyone" ? "" : labelling.labellers.join(", "),
    reviewers: labelling.reviewers.join(", "),
    ownRows: labelling.ownRows ?? "refused",
    teams: (labelling.teams ?? []).map(({ members, name }) => joined(name, members.join(", "))).join("\n"),
    validator: rewards.validator,
    nearDuplicates: rewards.nearDuplicates,
    similarity: String(rewards.textSimilarityPermille / 10),
    citation: rewards.citationPermille === undefined ? "" : String(rewards.citationPermille / 10),
  };
}

/** Form of digests: that of the card before, where access stays; a Datanet that becomes permissioned hides its rows. */
function digestsOf({ access }: CardDraft, before: Card | null): Pick<Card["row"], "digests"> {
  const usual = access === "permissioned" ? "salted" : undefined;
  const digests = before?.access === access ? before.row.digests : usual;
  return digests === undefined ? {} : { digests };
}

/** Warning about what public hashes of rows reveal; null where everybody may read the rows. */
export function sayDigests(draft: CardDraft, before: Card | null): string | null {
  if (draft.access !== "permissioned") return null;
  if (digestsOf(draft, before).digests === undefined)
    return "Hashes of rows are plain: whoever is shown them and guesses a row learns that it is there.";
  const earlier = before?.access === "public" ? " Rows from before keep plain ones." : "";
  return `Everybody sees how many rows there are, and their hashes, which a random salt in each row keeps from telling anything.${earlier}`;
}

/** Makes a card of the draft; `nameCard` checks it. @param before keeps the values that the form does not show */
export function cardOfDraft(draft: CardDraft, before: Card | null): unknown {
  const { accept, access, kind, nearDuplicates, validator } = draft;
  const { citationPermille: _, ...rewards } = before?.rewards ?? {};
  const citation = draft.citation.trim();
  const labels = byLines(draft.labels).map(([name = "", description = ""]) => ({ name, description }));
  return {
    format: CARD_FORMAT,
    name: draft.name.trim(),
    description: draft.description.trim(),
    field: draft.field.trim(),
    tags: byCommas(draft.tags),
    ...termsOf(draft, before),
    languages: byCommas(draft.languages),
    contact: draft.contact.trim(),
    row: {
      kind,
      // A draft that was a table's keeps their text, in case it is one again.
      fields: (kind === "table" ? byLines(draft.fields) : []).map(
        ([name = "", type = "text", description = ""]) => ({ name, type, description }),
      ),
      maxBytes: Number(draft.maxBytes),
      ...digestsOf(draft, before),
    },
    labels,
    instructions: draft.instructions.trim(),
    examples: byLines(draft.examples).map(([label = "", input = "", why = ""]) => ({ input, label, why })),
    access,
    labelling: {
      annotatorsPerRow: Number(draft.annotatorsPerRow),
      accept,
      labellers: draft.labellers.trim() === "" ? "anyone" : byCommas(draft.labellers).map(Number),
      reviewers: byCommas(draft.reviewers).map(Number),
      ...(draft.ownRows === "allowed" ? { ownRows: draft.ownRows } : {}),
      ...(draft.teams.trim() === ""
        ? {}
        : {
            teams: byLines(draft.teams).map(([name = "", members = ""]) => ({
              name,
              members: byCommas(members).map(Number),
            })),
          }),
    },
    rewards: {
      ...OTHER_REWARDS,
      ...usualRewards(kind, labels.length),
      ...rewards,
      validator,
      nearDuplicates,
      textSimilarityPermille: Math.round(10 * Number(draft.similarity)),
      ...(citation === "" ? {} : { citationPermille: Math.round(10 * Number(citation)) }),
    },
  };
}

/** Name of a terms file behind a licence, or alone. */
const NAMED_FILE = /(?:(?<=.) AND |^)LicenseRef-terms-[0-9a-f]{64}$/;

/** A new licence, or that of a new Datanet, binds: contributors sign it. An earlier card that has the same licence stays as it is. */
function termsOf({ licence, termsFile }: CardDraft, before: Card | null) {
  const file = termsFile.trim() === "" ? undefined : parsed(termsFile);
  const read = termsFileSchema.safeParse(file).data;
  const typed = licence.trim();
  // The name of an earlier file goes; what was before it is in parentheses already where it needs them.
  const own = typed.replace(NAMED_FILE, "");
  const named = read === undefined ? "" : nameTerms(read).licence;
  const first = own === typed && own.includes(" OR ") && named !== "" ? `(${own})` : own;
  const whole = { licence: [first, named].filter((part) => part !== "").join(" AND ") };
  if (before !== null && before.terms === undefined && before.licence === whole.licence) return whole;
  return { ...whole, terms: { contributors: "sign", ...(file === undefined ? {} : { file }) } };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

/** Parts of a proposal that a draft takes. */
type ProposedRows = Pick<CardProposal, "fields" | "kind" | "labels" | "languages" | "target">;

/** Draft with what files suggest: a task, unless one is chosen, a table's fields, and labels where they have some. */
export function withProposal(
  draft: CardDraft,
  { fields, kind, labels, languages, target }: ProposedRows,
): CardDraft {
  const task = draft.task === "" ? TASK_NAMES.find((name) => TASKS[name].kind === kind)! : draft.task;
  return {
    ...withTask(draft, task),
    ...(fields.length > 0 && { fields: fields.map(({ name, type }) => `${name} | ${type}`).join("\n") }),
    ...(labels.length > 0 && { labels: labels.join("\n") }),
    ...(languages.length > 0 && { languages: languages.join(", ") }),
    // What a column says is known: nobody else can tell it from the others.
    ...(target !== null && PEOPLE.alone),
  };
}

/** Draft of files with all that a person has typed or chosen while the files were read. @param begun draft when they were chosen */
export function keepTyped(next: CardDraft, now: CardDraft, begun: CardDraft): CardDraft {
  const typed = Object.entries(now).filter(([name, value]) => value !== begun[name as keyof CardDraft]);
  return { ...next, ...Object.fromEntries(typed) };
}

/** Draft of a table whose labels are another column's values, or none. */
export function withTargetOf(draft: CardDraft, proposal: ProposedRows): CardDraft {
  const people = proposal.target === null ? PEOPLE["one-other"] : {};
  return withProposal({ ...draft, ...people, labels: "" }, proposal);
}

type People = Pick<CardDraft, "annotatorsPerRow" | "ownRows">;

/** Usual answers to the question who labels a row, with what they set. */
const PEOPLE = {
  "one-other": { annotatorsPerRow: "1", ownRows: "refused" },
  both: { annotatorsPerRow: "2", ownRows: "allowed" },
  "two-others": { annotatorsPerRow: "2", ownRows: "refused" },
  alone: { annotatorsPerRow: "1", ownRows: "allowed" },
} as const satisfies Readonly<Record<string, People>>;
export type PeopleName = keyof typeof PEOPLE | "other";

/** Returns the answer that a draft has; "other" if it is none of the usual ones. */
export const peopleOf = ({ annotatorsPerRow, ownRows }: People): PeopleName =>
  (Object.keys(PEOPLE) as (keyof typeof PEOPLE)[]).find(
    (name) => PEOPLE[name].annotatorsPerRow === annotatorsPerRow.trim() && PEOPLE[name].ownRows === ownRows,
  ) ?? "other";

/** Draft with an answer to the question who labels a row. */
export const withPeople = (draft: CardDraft, name: PeopleName): CardDraft =>
  name === "other" ? draft : { ...draft, ...PEOPLE[name] };

/** Says how many people must label a row; null if the draft does not specify it. */
export function sayPeople({ annotatorsPerRow, labels, ownRows }: CardDraft): string | null {
  const count = Number(annotatorsPerRow);
  if (labels.trim() === "" || !Number.isInteger(count) || count < 1) return null;
  if (ownRows === "allowed")
    return count === 1
      ? "One person can label and publish, as contributors may label their own rows."
      : `Each row needs labels from ${count} people; its contributor may be one of them.`;
  return count === 1
    ? "Each row needs 1 person other than its contributor to label it."
    : `Each row needs ${count} people other than its contributor to label it: with fewer, no row can be published.`;
}

/** Cost of opening a Datanet, shown before the account signs. */
export interface OpeningCost {
  /** Price of an id in the ledger; it is burned. */
  readonly idFeeWei: bigint;
  /** Maximum fee of the operation; null until the sequencer has answered. */
  readonly feeWei: bigint | null;
  /** First balance of the Datanet; null if the text is no amount. */
  readonly balanceWei: bigint | null;
}

/** Labels of the submit button and of the line above it. @param show writes an amount of OPEN */
export function sayOpeningCost(
  { balanceWei, feeWei, idFeeWei }: OpeningCost,
  show: (wei: bigint) => string,
): { readonly total: string | null; readonly parts: string } {
  const fee = feeWei === null ? "" : `, and a fee of at most ${show(feeWei)} OPEN`;
  const balance = balanceWei === null ? "the first balance" : show(balanceWei);
  return {
    total: balanceWei === null ? null : `${show(idFeeWei + balanceWei + (feeWei ?? 0n))} OPEN`,
    parts: `Creating it costs ${show(idFeeWei)} OPEN, which is burned${fee}; ${balance} OPEN go to the Datanet and pay for its cards and versions.`,
  };
}

/** "|" would end a part: it is written as another character. */
const joined = (...parts: readonly string[]) =>
  parts
    .map((part) => part.replaceAll("|", "¦").replaceAll(/\s*\n\s*/g, " "))
    .join(" | ")
    .replace(/( \| )+$/, "");

const byCommas = (text: string) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

const byLines = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.split("|").map((part) => part.trim()));

/**
 * A Datanet's card, the text that says what the Datanet is about, what a row is, who labels and what is paid: its schema and
 * its hash. Its hash is the Datanet's `policy` word on the ledger, so a changed card is a signed, proven change
 * (docs/explanation/datanets.md, "Cards").
 */

import { sha256 } from "@noble/hashes/sha2.js";
import type { RowTerms } from "@openledger/attribution/model/recipe-fields";
import { FIELD_TYPES, ROW_KINDS } from "@openledger/attribution/rows/row-kinds";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { isWellFormed, textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { canonicalJson } from "../terms/canonical-json.ts";
import { unreadProblem } from "../terms/licence-conditions.ts";
import { ownNames, readLicence } from "../terms/spdx-expression.ts";
import { isTermsName, nameTerms, type TermsFile, termsFileSchema } from "../terms/terms-file.ts";

export const CARD_FORMAT = "openledger-datanet-card-2";
const EARLIER_FORMATS: readonly unknown[] = ["openledger-datanet-card-1"];
/** Maximum size of a card's text, in bytes of UTF-8. */
export const MAX_CARD_BYTES = 131_072;

const text = (min: number, max: number) =>
  z.string().min(min).max(max).refine(isWellFormed, "has half of a surrogate pair");
const leafId = z
  .int()
  .min(1)
  .max(2 ** 24 - 1);
const leafIds = z
  .array(leafId)
  .max(1_000)
  .refine((ids) => new Set(ids).size === ids.length, "names a leaf twice");
const permille = z.int().min(0).max(1_000);
const label = text(1, 60);

export const cardSchema = z
  .strictObject({
    format: z.literal(CARD_FORMAT),
    name: text(1, 100),
    description: text(1, 20_000),
    field: text(1, 60).meta({ description: "the subject: medicine, law, weather" }),
    tags: z.array(text(1, 40)).max(30),
    /** SPDX expression, which `terms` demands; free text in earlier cards. */
    licence: text(1, 200).meta({
      description: "an SPDX expression; LicenseRef-terms-HASH names a terms file",
    }),
    /** Terms that bind. Absent in earlier cards: no contributor has signed terms, and free text is not known to machines. */
    terms: z
      .strictObject({
        /** Each contributor signs, with each commit, that the rows may be given under these terms. */
        contributors: z.literal("sign"),
        /** The terms file that `licence` names by its hash. Absent: it names none. */
        file: termsFileSchema.optional(),
      })
      .optional(),
    languages: z.array(z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)).max(30),
    contact: text(1, 300),
    row: z.strictObject({
      kind: z.enum(ROW_KINDS),
      /** Fields of a table, in the order of a row's bytes. Each is in each row; null = missing. */
      fields: z
        .array(
          z.strictObject({
            name: text(1, 60),
            type: z.enum(FIELD_TYPES),
            description: text(0, 500),
          }),
        )
        .max(60),
      maxBytes: z
        .int()
        .min(1)
        .max(16 * 1024 * 1024),
      /**
       * Digests of rows hide the rows: each row begins with a random salt (rows/salted-rows.ts). Absent: a row's digest is SHA-256 of its
       * content, and whoever guesses a content learns that it is there.
       */
      digests: z.literal("salted").optional(),
    }),
    labels: z.array(z.strictObject({ name: label, description: text(0, 500) })).max(200),
    instructions: text(0, 40_000),
    examples: z.array(z.strictObject({ input: text(1, 4_000), label, why: text(0, 1_000) })).max(100),
    access: z.enum(["public", "permissioned"]),
    labelling: z.strictObject({
      annotatorsPerRow: z.int().min(1).max(25),
      /** Labels that settle a row without a reviewer: all the same, or more than half. */
      accept: z.enum(["all", "majority"]),
      /** Accounts that may label; "anyone" with an account. */
      labellers: z.union([z.literal("anyone"), leafIds]),
      /** Accounts that settle disputes, set gold rows, approve contributions and leave rows out. */
      reviewers: leafIds,
      /** Lets contributors label and vouch for their own rows. Absent: they may not. */
      ownRows: z.literal("allowed").optional(),
      /** Labellers who work together: their progress is shown by team. Absent: none. */
      teams: z
        .array(z.strictObject({ name: text(1, 60), members: leafIds.min(1) }))
        .max(50)
        .optional(),
    }),
    rewards: z.strictObject({
      /** The validator of a row is drawn by hash among the labellers whose label was accepted, or named by the owner. */
      validator: z.enum(["drawn", "owner"]),
      nearDuplicates: z.enum(["leave-out", "share", "keep"]),
      textSimilarityPermille: permille,
      imageSimilarityPermille: permille,
      /** Rows longer than this quantile of all rows' lengths are clipped. */
      clipQuantilePermille: permille,
      /**
       * Base payment of every row beside its influence, in thousandths of a typical score; 0 = none
       * (docs/explanation/attribution-methods.md, "The base"). A model's recipe repeats this; verify model compares.
       */
      basePermille: permille,
      /** Share of a citing model's payments that goes to the rows cited, in thousandths; the rest goes by influence. Absent: its recipe decides. */
      citationPermille: permille.optional(),
    }),
  })
  .superRefine((card, context) => {
    const { examples, labelling, labels, row } = card;
    const problem = card.terms === undefined ? null : licenceProblem(card.licence, card.terms.file);
    if (problem !== null) context.addIssue({ code: "custom", path: ["licence"], message: problem });
    const names = new Set(labels.map(({ name }) => name));
    if (names.size !== labels.length)
      context.addIssue({ code: "custom", path: ["labels"], message: "has a name twice" });
    for (const [i, example] of examples.entries()) {
      if (!names.has(example.label))
        context.addIssue({
          code: "custom",
          path: ["examples", i, "label"],
          message: "is no label of the card",
        });
    }
    const teams = labelling.teams ?? [];
    if (new Set(teams.map(({ name }) => name)).size !== teams.length)
      context.addIssue({ code: "custom", path: ["labelling", "teams"], message: "has a name twice" });
    const members = teams.flatMap((team) => team.members);
    if (new Set(members).size !== members.length)
      context.addIssue({ code: "custom", path: ["labelling", "teams"], message: "has a leaf in two teams" });
    if ((row.kind === "table") !== row.fields.length > 0)
      context.addIssue({
        code: "custom",
        path: ["row", "fields"],
        message: "needs fields for rows of kind table, and for no others",
      });
    if (new Set(row.fields.map(({ name }) => name)).size !== row.fields.length)
      context.addIssue({ code: "custom", path: ["row", "fields"], message: "has a name twice" });
  });
export type Card = z.output<typeof cardSchema>;

/** Why a licence is none that machines read, or does not name its terms file; null: it is one. */
export function licenceProblem(licence: string, file: TermsFile | undefined): string | null {
  const problem = unreadProblem(licence);
  const { expression } = readLicence(licence);
  if (expression === null || problem !== null) return problem;
  const named = new Set(ownNames(expression).filter(isTermsName));
  const own = file === undefined ? null : nameTerms(file).licence.slice("LicenseRef-".length);
  if (own !== null && !named.delete(own)) return `does not name the terms file: write LicenseRef-${own}`;
  return named.size === 0 ? null : "names a terms file that the card does not have";
}

/** A card's terms as the rule reads them (terms/terms-rule.ts). */
export const termsOfCard = ({ licence, terms }: Pick<Card, "licence" | "terms">): CardTerms => ({
  licence,
  ...(terms?.file === undefined ? {} : { file: nameTerms(terms.file).text }),
});
/** `file`: text of the terms file that the licence names; absent: it names none. */
export type CardTerms = Pick<RowTerms, "licence" | "file">;

/** Returns true if an account may label, and vouch for, a row of this contributor. */
export const mayVouch = ({ labelling }: Card, leafId: number, contributorId: number | null): boolean =>
  labelling.ownRows === "allowed" || leafId !== contributorId;

export interface NamedCard {
  readonly card: Card;
  /** Canonical text of the card; its hash is `policy`. */
  readonly text: string;
  /** SHA-256 of the text in UTF-8, mod r: what PublishVersion carries. */
  readonly policy: bigint;
}

/** @throws DNT_CARD_INVALID naming the field; DNT_CARD_EARLIER */
export function nameCard(value: unknown): NamedCard {
  requirePresentFormat(value);
  const parsed = cardSchema.safeParse(value);
  if (!parsed.success) {
    throw invalid(z.prettifyError(parsed.error).slice(0, 1_000), {
      fields: parsed.error.issues.slice(0, 20).map(({ path }) => path.join(".")),
    });
  }
  const canonical = canonicalJson(parsed.data);
  const bytes = new TextEncoder().encode(canonical);
  if (bytes.length > MAX_CARD_BYTES)
    throw invalid(`${bytes.length} bytes are more than ${MAX_CARD_BYTES}`, { fields: [] });
  return { card: parsed.data, text: canonical, policy: digestToField(sha256(bytes)) };
}

function requirePresentFormat(value: unknown): void {
  const format = (value as { readonly format?: unknown } | null)?.format;
  if (EARLIER_FORMATS.includes(format))
    throw datanetError(
      "DNT_CARD_EARLIER",
      `the card has the format ${format}, and this version reads ${CARD_FORMAT}`,
      {
        data: { format },
      },
    );
}

/** A card as it travels: exactly its canonical text. @throws DNT_CARD_INVALID, DNT_CARD_EARLIER */
export function readCard(canonical: string): NamedCard {
  let value: unknown;
  try {
    value = JSON.parse(canonical);
  } catch (cause) {
    throw invalid("it is not JSON", { fields: [] }, cause);
  }
  const named = nameCard(value);
  if (named.text !== canonical) throw invalid("it is not written canonically", { fields: [] });
  return named;
}

/**
 * Reads a card as `readCard` does, from bytes.
 * @throws DNT_CARD_INVALID also for bytes that are not UTF-8; DNT_CARD_EARLIER
 */
export function readCardBytes(bytes: Uint8Array): NamedCard {
  let text: string;
  try {
    text = textOfBytes(bytes);
  } catch (cause) {
    throw invalid("it is no UTF-8", { fields: [] }, cause);
  }
  return readCard(text);
}

function invalid(why: string, data: { fields: readonly string[] }, cause?: unknown) {
  return datanetError("DNT_CARD_INVALID", `not a card: ${why}`, { data: { why, ...data }, cause });
}

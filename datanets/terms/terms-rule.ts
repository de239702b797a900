/**
 * The rule: which licence and which use of a model may follow from the terms of its rows. Training, approval and serving apply it
 * (docs/explanation/datanets.md, "Terms"). It is a machine's reading of terms, and no legal advice.
 *
 * The law differs by country on whether a model is an adaptation of what it was trained on. The rule takes the most restrictive
 * reading, as "Using CC-licensed works for AI training" (Creative Commons, 15 May 2025) describes it: a model is one. Models here
 * are published with their rows, and some say rows word for word.
 */
import {
  MAX_NAMED_ROWS,
  type ModelTerms,
  type RecipeBase,
  type RecipeVersion,
  type RowTerms,
  versionsOf,
} from "@openledger/attribution/model/recipe-fields";
import { counted } from "@openledger/foundation/counted";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { datanetError } from "../datanet-errors.ts";
import { conditionsOf, type LicenceConditions, MODEL_LICENCES } from "./licence-conditions.ts";
import { type LicenceExpression, licenceId, readLicence } from "./spdx-expression.ts";
import { allowsUsage, allowsUser, paymentOf, readNamedTerms, type TermsFile } from "./terms-file.ts";

/** Intended use of rows, to be checked against their terms. */
export interface SignatureTerms extends Pick<ModelTerms, "use" | "licence"> {
  /** True: the model reads or says rows in its answers, so rows are input of a trained model, too. */
  readonly readsRows: boolean;
}

/** Why terms stand in the way of what is asked. */
export type TermsReason =
  /** Machines may not be trained on the rows. */
  | "no-training"
  /** Rows may not be read by a trained model. */
  | "no-input"
  /** A model of the rows may be made, but not shared. */
  | "no-sharing"
  /** A model of the rows may not answer for pay. */
  | "no-pay"
  /** The terms are for other users. */
  | "other-users"
  /** The rows have to be paid for in a way that the ledger does not pay. */
  | "payment"
  /** The model's licence is none that the rows' terms allow. */
  | "licence"
  /** The terms are not known, so no licence can follow from them. */
  | "not-known";

const WORDS: Readonly<Record<TermsReason, string>> = {
  "no-training": "machines may not be trained on them",
  "no-input": "a trained model may not read them in its answers",
  "no-sharing": "a model of them may not be shared",
  "no-pay": "a model of them may not answer for pay",
  "other-users": "they are given to other users",
  payment: "they have to be paid for in a way that the ledger does not pay",
  licence: "a model of them needs another licence",
  "not-known": "their terms are not known, so no licence follows from them",
};

/** Rows that stand in the way, and why. */
export interface ForbiddingRows extends RowTerms {
  readonly reasons: readonly TermsReason[];
}

/** Rows whose terms forbid what is asked; none: all allow it. */
export const forbiddingRows = (
  rows: readonly RowTerms[],
  { licence, ...further }: SignatureTerms,
): ForbiddingRows[] =>
  rows.flatMap((terms) => {
    const question = { ...further, licence: licence === null ? null : licenceId(licence) };
    const reasons = [...new Set(reasonsAgainst(terms, question))];
    return reasons.length === 0 ? [] : [{ ...terms, reasons }];
  });

/** True if the rule can read these terms: whether they allow something is known. */
export function isKnown({ file, licence }: Pick<RowTerms, "file" | "licence">): boolean {
  const { expression } = readLicence(licence);
  return expression !== null && reads(expression, file);
}

/** Most open licence that a model of these rows may have; null: none is given, since none may, or terms are not known. */
export function openestLicence(
  rows: readonly RowTerms[],
  { readsRows, use }: Omit<SignatureTerms, "licence">,
): string | null {
  if (use === "own") return null;
  const isFit = (licence: string) => forbiddingRows(rows, { use, licence, readsRows }).length === 0;
  // Share-alike ones that nothing is proposed under but themselves, as CC-BY-SA-1.0.
  const ownOf = rows.flatMap(({ licence }) => conditionsOf(licence)?.shareAlike ?? []);
  return [...MODEL_LICENCES, ...ownOf].find(isFit) ?? null;
}

/**
 * Terms of a model of these rows: the asked licence (null: none is given), or the most open one where none is asked.
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way
 */
export function modelTerms(
  rows: readonly RowTerms[],
  {
    licence: asked,
    readsRows,
    use,
  }: Omit<SignatureTerms, "licence"> & { readonly licence?: string | null | undefined },
): ModelTerms {
  const licence = asked === undefined ? openestLicence(rows, { readsRows, use }) : asked;
  const terms = { use, licence, rows: [...rows] };
  requireTerms(terms, { readsRows });
  return terms;
}

/** @throws DNT_TERMS_FORBID naming the rows that stand in the way of the model's use or licence */
function requireTerms(
  { licence, rows, use }: ModelTerms,
  { readsRows }: Pick<SignatureTerms, "readsRows">,
): void {
  const forbidding = forbiddingRows(rows, { use, licence, readsRows });
  if (forbidding.length === 0) return;
  const what = `${USE_WORDS[use]}${licence === null ? "" : ` under ${licence}`}`;
  throw datanetError(
    "DNT_TERMS_FORBID",
    `rows' terms forbid a model ${what}: ${forbiddingLines(forbidding).join("; ")}`,
    {
      data: { use, licence, forbidding: forbidding.map(({ file: _, ...named }) => named) },
    },
  );
}

/** Recipe, as far as the rule reads it. */
export type RecipeTerms = Pick<RecipeBase, "datanet" | "furtherDatanets" | "retrieval" | "terms">;

/**
 * The terms of a recipe's rows allow its model, with the licence that the recipe gives it.
 * @param asked `use`: default, the recipe's; `rows`: terms of the rows by others than the recipe, which has none or its maker's word
 * @returns terms of the model; null where nobody knows any
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way
 */
export function requireRecipeTerms(
  { retrieval, terms }: Pick<RecipeTerms, "retrieval" | "terms">,
  {
    rows = terms?.rows,
    use = terms?.use ?? "own",
  }: { readonly rows?: readonly RowTerms[] | undefined; readonly use?: ModelTerms["use"] } = {},
): ModelTerms | null {
  if (rows === undefined) return null;
  return modelTerms(rows, { use, licence: terms?.licence ?? null, readsRows: retrieval !== undefined });
}

/** Terms in a recipe, of rows whose Datanet's host and card nobody has asked. */
const NOT_LOOKED_AT = "not looked at";

/** Why a model of this recipe can never be approved, by the terms that the recipe has; null: they allow it, or it has none. */
export function whyUnapprovable(recipe: Pick<RecipeTerms, "retrieval" | "terms">): string | null {
  try {
    requireRecipeTerms(recipe, { use: "paid" });
    return null;
  } catch (error) {
    if (isRollupError(error, "DNT_TERMS_FORBID")) return error.message;
    throw error;
  }
}

/** Rows of a Datanet whose terms nobody has looked at. */
export const uncheckedRows = (datanet: number, digests: readonly string[]): RowTerms[] =>
  groupTerms(digests.map((digest) => ({ datanet, digest, licence: NOT_LOOKED_AT, isSigned: false })));

/**
 * Versions of a recipe whose rows' terms nobody has looked at, as a host's signed records or a card have them.
 * @param rowCount rows of the model. Attack: a recipe that has the terms of one row, and is taken at its word for all
 */
export function uncheckedVersions(recipe: RecipeTerms, rowCount: number): readonly RecipeVersion[] {
  const rows = recipe.terms?.rows ?? [];
  const versions = versionsOf(recipe);
  if (rows.reduce((sum, one) => sum + one.rowCount, 0) !== rowCount) return versions;
  const isLookedAt = (id: number) =>
    rows.some(({ datanet, licence }) => datanet === id && licence !== NOT_LOOKED_AT);
  return versions.filter(({ id }) => !isLookedAt(id));
}

/** Why the terms of a row are not known: nobody's signature is shown, or its contributor has not committed it. */
type UnknownTermsReason = "not-signed" | "not-committed";

/**
 * Terms of a row of which only the Datanet's card is known: no licence follows from them, and what the card forbids is forbidden.
 */
export function besideUnknown(
  reason: UnknownTermsReason,
  { file, licence }: Pick<TermsOfRow, "file" | "licence">,
): Pick<TermsOfRow, "file" | "licence" | "isSigned"> {
  const { expression } = readLicence(licence);
  const isOne = expression?.kind === "listed" || expression?.kind === "own";
  const both = `LicenseRef-${reason} AND ${isOne ? licence : `(${licence})`}`;
  // Free text stands alone: nobody reads it. Attack: so did a card's expression as long as one may be, and it counted as signed.
  return {
    licence: expression === null ? licence : both,
    ...(file === undefined ? {} : { file }),
    isSigned: false,
  };
}

/** Number of rows whose terms the rule cannot read: they forbid no use, and give no licence. */
export const unknownCount = (rows: readonly RowTerms[]): number =>
  rows.reduce((sum, one) => sum + (isKnown(one) ? 0 : one.rowCount), 0);

/** A line for each group of rows that stand in the way, with their names. */
export const forbiddingLines = (forbidding: readonly ForbiddingRows[]): string[] =>
  forbidding.map(({ datanet, firstRows, licence, reasons, rowCount }) => {
    const names = firstRows.join(", ");
    const more = rowCount > firstRows.length ? ` and ${rowCount - firstRows.length} more` : "";
    const why = reasons.map((reason) => WORDS[reason]).join(", and ");
    return `${counted(rowCount, "row")} of Datanet ${datanet} under ${licence}: ${why}: ${names}${more}`;
  });

/** Use of a model, in words behind "a model". */
const USE_WORDS: Readonly<Record<ModelTerms["use"], string>> = {
  own: "that is shared with nobody",
  shared: "that anyone may have",
  paid: "that answers for pay",
};

/** A row with its terms, before rows are put together. */
export interface TermsOfRow extends Pick<RowTerms, "datanet" | "licence" | "file" | "isSigned"> {
  readonly digest: string;
}

/** Puts rows under the same terms together, in the order of their first rows. */
export function groupTerms(rows: Iterable<TermsOfRow>): RowTerms[] {
  const groups = new Map<string, RowTerms>();
  for (const { datanet, digest, file, isSigned, licence } of rows) {
    const key = JSON.stringify([datanet, licence, file, isSigned]);
    const group = groups.get(key);
    if (group === undefined)
      groups.set(key, {
        datanet,
        licence,
        ...(file === undefined ? {} : { file }),
        isSigned,
        rowCount: 1,
        firstRows: [digest],
      });
    else {
      group.rowCount += 1;
      if (group.firstRows.length < MAX_NAMED_ROWS) group.firstRows.push(digest);
    }
  }
  return [...groups.values()];
}

function reasonsAgainst({ file, licence }: RowTerms, question: SignatureTerms): TermsReason[] {
  const { expression } = readLicence(licence);
  if (expression === null) return ofUnknown(question);
  return reasonsOf(expression, file, question);
}

function reasonsOf(
  expression: LicenceExpression,
  file: string | undefined,
  question: SignatureTerms,
): TermsReason[] {
  switch (expression.kind) {
    case "all":
      return expression.parts.flatMap((part) => reasonsOf(part, file, question));
    case "any": {
      // Whoever takes the rows chooses. Attack: a choice that nobody can read would allow everything.
      const known = expression.parts.filter((part) => reads(part, file));
      const parts = known.length > 0 ? known : expression.parts;
      const found = parts.map((part) => reasonsOf(part, file, question));
      return found.find((reasons) => reasons.length === 0) ?? found[0]!;
    }
    case "own": {
      const terms = readNamedTerms(expression.name, file);
      return terms === null ? ofUnknown(question) : ofFile(terms, question);
    }
    case "listed": {
      const conditions = conditionsOf(expression.id);
      return conditions === null ? ofUnknown(question) : ofLicence(conditions, question);
    }
  }
}

function reads(expression: LicenceExpression, file: string | undefined): boolean {
  if (expression.kind === "listed") return conditionsOf(expression.id) !== null;
  if (expression.kind === "own") return readNamedTerms(expression.name, file) !== null;
  return expression.parts[expression.kind === "all" ? "every" : "some"]((part) => reads(part, file));
}

/** Nothing is known to be forbidden, and no licence follows. */
const ofUnknown = ({ licence }: SignatureTerms): TermsReason[] => (licence === null ? [] : ["not-known"]);

function ofFile(file: TermsFile, { licence, readsRows, use }: SignatureTerms): TermsReason[] {
  const reasons: TermsReason[] = [];
  if (allowsUsage(file, "ai-train") !== true) reasons.push("no-training");
  if (readsRows && allowsUsage(file, "ai-input") === false) reasons.push("no-input");
  if (use === "paid" && !allowsUser(file, ["commercial"])) reasons.push("no-pay");
  if (use !== "paid" && !allowsUser(file, ["personal", "non-commercial"])) reasons.push("other-users");
  const payment = paymentOf(file);
  // RSL 3.7: "use" is pay for each answer, which is what the ledger pays. The machine sees no other payment.
  const isPaid = payment === "free" || payment === "attribution" || (payment === "use" && use === "paid");
  if (!isPaid) reasons.push("payment");
  const wantsName = payment === "attribution" && licence !== null;
  if (wantsName && conditionsOf(licence)?.attribution !== true) reasons.push("licence");
  return reasons;
}

function ofLicence(rows: LicenceConditions, { licence, use }: SignatureTerms): TermsReason[] {
  // Making an adaptation is free under all of them; their conditions begin with sharing it.
  if (use === "own") return [];
  const reasons: TermsReason[] = [];
  if (rows.noDerivatives) reasons.push("no-sharing");
  if (rows.nonCommercial && use === "paid") reasons.push("no-pay");
  if (!fits(rows, licence)) reasons.push("licence");
  return reasons;
}

/** True if a model of rows under these conditions may be given under a licence; null: under none of its own. */
function fits(rows: LicenceConditions, licence: string | null): boolean {
  if (rows.shareAlike !== null && (licence === null || !rows.shareAlike.includes(licence))) return false;
  if (licence === null || !(rows.attribution || rows.nonCommercial)) return true;
  const model = conditionsOf(licence);
  if (model === null || model.noDerivatives) return false;
  // The GPL-3.0 may follow CC BY-SA, and takes no condition of a non-commercial licence.
  return (model.attribution || !rows.attribution) && (model.nonCommercial || !rows.nonCommercial);
}
